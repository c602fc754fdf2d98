/* fake_reports.c - reports of doctor and compare with one row of each kind; names on networks */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/audit.h"
#include "engine/compare.h"
#include "engine/doctor.h"
#include "engine/resolve.h"
#include "fake_engine.h"

const char *const doctor_status_names[] = { "ok", "warn", "missing", NULL };

static const struct jfield no_fields[] = { { 0 } };
const struct jtable doctor_report_table = { sizeof(struct doctor_report), no_fields };
const struct jtable compare_report_table = { sizeof(struct compare_report), no_fields };

int engine_resolve(struct engine *en, const char *what, const char *network, struct strv *ret, struct err *e)
{
	if (strcmp(what, "web"))
		return err_set(e, ENOENT, "nobody is called %s", what);
	return strv_add(ret, network ? "10.88.0.5" : "10.88.0.6");
}

int engine_asked(struct engine *en, const struct instance *in, struct strv *ret, struct err *e)
{
	return strv_add(ret, "example.org");
}

int engine_audit(struct engine *en, struct strv *ret, bool *ret_sees_all, struct err *e)
{
	return 0;
}

int engine_doctor(struct engine *en, struct doctor_report *ret, struct err *e)
{
	static char kernel[] = "kernel", linux6[] = "Linux 6", kvm[] = "KVM", none[] = "none\033",
		    fix[] = "modprobe kvm";
	static struct doctor_row rows[] = {
		{ kernel, DOCTOR_OK, linux6, NULL },
		{ kvm, DOCTOR_MISSING, none, fix },
	};

	*ret = (struct doctor_report){ rows, fake.exit_status ? 2 : 1 };
	return 0;
}

int doctor_worst(const struct doctor_report *r)
{
	return r->rows[r->n - 1].status;
}

void doctor_done(struct doctor_report *r)
{
	*r = (struct doctor_report){ 0 };
}

int engine_compare(struct engine *en, const struct compare_request *rq, struct compare_report *ret,
		   struct err *e)
{
	static char group[] = "start", metric[] = "to first output", ms[] = "ms", one[] = "5.0",
		    two[] = "50.0", image[] = "img", words[] = "echo", note[] = "VM 10.0 times as much",
		    why[] = "no kernel";
	static struct compare_row rows[] = { { group, metric, ms, one, two, note } };

	buf_addf(&fake.calls, "compare %s", rq->image);
	for (size_t i = 0; i < rq->args.n; i++)
		buf_addf(&fake.calls, " %s", rq->args.v[i]);
	buf_addc(&fake.calls, '\n');
	*ret = (struct compare_report){ .image = image, .workload = words, .rows = rows, .n = 1 };
	if (fake.exit_status)
		ret->vm_error = why;
	return 0;
}

void compare_done(struct compare_report *r)
{
	*r = (struct compare_report){ 0 };
}

/* doctor.c - runs the checks and gathers their rows */
#include "engine/doctor.h"

#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "engine/doctor_int.h"
#include "engine/engine_int.h"

const char *const doctor_status_names[] = { "ok", "warn", "missing", NULL };
static_assert(ARRAY_LEN(doctor_status_names) == DOCTOR_STATUS_N + 1, "name every status");

static const struct jfield row_fields[] = {
	J(J_STR, struct doctor_row, name),
	JE(struct doctor_row, status, "status", doctor_status_names),
	J(J_STR, struct doctor_row, what),
	J(J_STR, struct doctor_row, fix),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct doctor_row), row_fields };

static const struct jfield report_fields[] = {
	JA(struct doctor_report, rows, n, "checks", &row_table),
	{ 0 },
};
const struct jtable doctor_report_table = { sizeof(struct doctor_report), report_fields };

static void (*const checks[])(struct doctor *d) = {
	doctor_kernel, doctor_cgroups, doctor_namespaces, doctor_file_systems, doctor_seccomp,
	doctor_lsm,    doctor_kvm,     doctor_vm,	  doctor_tools,	       doctor_criu,
	doctor_ids,    doctor_rights,  doctor_disk,	  doctor_quota,
};

void doctor_add(struct doctor *d, const char *name, int status, const char *fix, const char *what, ...)
{
	struct doctor_row row = { .status = status }, *more;
	va_list ap;

	va_start(ap, what);
	if (vasprintf(&row.what, what, ap) < 0)
		row.what = NULL;
	va_end(ap);
	row.name = strdup(name);
	row.fix = fix ? strdup(fix) : NULL;
	more = reallocarray(d->report.rows, d->report.n + 1, sizeof(*more));
	if (more)
		d->report.rows = more;
	if (!more || !row.what || !row.name || (fix && !row.fix)) {
		json_done(&row_table, &row);
		d->failed = true;
		return;
	}
	d->report.rows[d->report.n++] = row;
}

int engine_doctor(struct engine *en, struct doctor_report *ret, struct err *e)
{
	struct doctor d = { .en = en, .facts = engine_facts_kvm(en) };

	for (size_t i = 0; i < ARRAY_LEN(checks); i++)
		checks[i](&d);
	if (d.failed) {
		doctor_done(&d.report);
		return err_set(e, ENOMEM, "out of memory");
	}
	*ret = d.report;
	return 0;
}

void doctor_done(struct doctor_report *r)
{
	json_done(&doctor_report_table, r);
}

int doctor_worst(const struct doctor_report *r)
{
	int worst = DOCTOR_OK;

	for (size_t i = 0; i < r->n; i++)
		if (r->rows[i].status > worst)
			worst = r->rows[i].status;
	return worst;
}

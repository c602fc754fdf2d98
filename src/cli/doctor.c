/* doctor.c - ketch doctor: what this host can do, and the remedy for each thing missing */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/colour.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "engine/audit.h"
#include "engine/doctor.h"

#define STATUS_COLUMNS 9
#define NAME_COLUMNS   29

struct doctor_args {
	bool json, audit;
};

static const struct opt doctor_opts[] = {
	OPT(FLAG, 0, "audit", struct doctor_args, audit, NULL,
	    "Look for what is left of instances instead: processes, mounts, cgroups, files"),
	OPT(FLAG, 0, "json", struct doctor_args, json, NULL, "Print JSON"),
	{ 0 },
};

static void add_row(const struct doctor_row *row, bool colour, struct buf *out)
{
	static const enum colour colours[] = { COLOUR_GOOD, COLOUR_DOUBTFUL, COLOUR_BAD };
	const char *status = doctor_status_names[row->status];

	colour_add(out, colour, colours[row->status], status);
	buf_addf(out, "%*s%-*s", (int)(STATUS_COLUMNS - strlen(status)), "", NAME_COLUMNS, row->name);
	text_add(out, row->what);
	buf_addc(out, '\n');
	if (!row->fix)
		return;
	buf_addf(out, "%*s", STATUS_COLUMNS + NAME_COLUMNS, "");
	buf_adds(out, "fix: ");
	text_add(out, row->fix);
	buf_addc(out, '\n');
}

static int print_report(const struct doctor_report *r, bool json, bool colour, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };

	if (json) {
		json_print(&doctor_report_table, r, JSON_PRETTY | JSON_ALL, &out);
		buf_addc(&out, '\n');
	}
	for (size_t i = 0; i < r->n && !json; i++)
		add_row(&r->rows[i], colour, &out);
	return cli_print(&out, e);
}

struct audit_report {
	struct strv left;
	bool sees_all;
};

static const struct jfield audit_fields[] = { J(J_STRV, struct audit_report, left),
					      JK(J_BOOL, struct audit_report, sees_all, "complete"),
					      { 0 } };
static const struct jtable audit_table = { sizeof(struct audit_report), audit_fields };

static void add_audit(const struct strv *left, bool sees_all, struct buf *out)
{
	for (size_t i = 0; i < left->n; i++) {
		buf_adds(out, "left over: ");
		text_add(out, left->v[i]);
		buf_addc(out, '\n');
	}
	if (!left->n)
		buf_adds(out, "nothing is left of instances that have ended\n");
	if (!sees_all)
		buf_adds(out, "not judged: processes outside of this PID namespace, and cgroups and links of "
			      "instances that this store does not have; the host itself can judge them\n");
}

/* Exit status 1 when something is left, or -errno. */
static int audit(struct engine *en, bool json, struct err *e)
{
	AUTO(strv_done) struct strv left = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	bool sees_all = true;
	int r = engine_audit(en, &left, &sees_all, e);

	if (r < 0)
		return r;
	if (json) {
		json_print(&audit_table, &(struct audit_report){ left, sees_all }, JSON_PRETTY | JSON_ALL,
			   &out);
		buf_addc(&out, '\n');
	} else {
		add_audit(&left, sees_all, &out);
	}
	r = cli_print(&out, e);
	return r < 0 ? r : left.n ? STATUS_FAILED : 0;
}

static int doctor_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(doctor_done) struct doctor_report report = { 0 };
	const struct doctor_args *a = args;
	struct engine *en = cli_engine(c, e);
	int r;

	if (!en)
		return -e->no;
	if (a->audit)
		return audit(en, a->json, e);
	r = engine_doctor(en, &report, e);
	if (r == 0)
		r = print_report(&report, a->json, cli_has_colour(c), e);
	if (r < 0)
		return r;
	return doctor_worst(&report) == DOCTOR_MISSING ? STATUS_FAILED : 0;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "Look at what this host can do, and say how to get what it lacks",
	.text = "Each line is ok, warn (Ketch works, with less) or missing (something will not work), with "
		"the command that mends it. The exit status is 1 when something is missing, else 0.\n\n"
		"KVM is tried by running a small guest, not by finding /dev/kvm.\n\n"
		"With --audit nothing of that is said, but what a killed monitor or a power cut has "
		"left; the exit status is 1 when there is something. The next command that lists or "
		"removes instances clears it up. From within a PID namespace of its own, which hides "
		"processes of the host, it says what it cannot judge.",
	.opts = doctor_opts,
	.args_size = sizeof(struct doctor_args),
	.run = doctor_run,
};

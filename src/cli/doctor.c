/* doctor.c - ketch doctor: what this host can do, and the remedy for each thing missing */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/colour.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "engine/doctor.h"

#define STATUS_COLUMNS 9
#define NAME_COLUMNS   29

struct doctor_args {
	bool json;
};

static const struct opt doctor_opts[] = {
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

static int doctor_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(doctor_done) struct doctor_report report = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_doctor(en, &report, e) : -e->no;

	if (r == 0)
		r = print_report(&report, ((const struct doctor_args *)args)->json, cli_has_colour(c), e);
	if (r < 0)
		return r;
	return doctor_worst(&report) == DOCTOR_MISSING ? STATUS_FAILED : 0;
}

const struct command cmd_doctor = {
	.name = "doctor",
	.usage = "",
	.summary = "Look at what this host can do, and say how to get what it lacks",
	.text = "Each line is ok, warn (Ketch works, with less) or missing (something will not work), with "
		"the command "
		"that mends it. The exit status is 1 when something is missing, else 0.\n\n"
		"KVM is tried by running a small guest, not by finding /dev/kvm.",
	.opts = doctor_opts,
	.args_size = sizeof(struct doctor_args),
	.run = doctor_run,
};

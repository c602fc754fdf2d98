/* compare.c - ketch compare: the same workload behind both walls */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/commands.h"
#include "cli/text.h"
#include "engine/compare.h"

struct compare_args {
	bool json;
};

static const struct opt compare_opts[] = {
	OPT(FLAG, 0, "json", struct compare_args, json, NULL, "Print JSON"),
	{ 0 },
};

static void add_cells(struct table *t, const struct compare_row *row)
{
	AUTO(buf_done) struct buf metric = { 0 };

	buf_adds(&metric, row->metric);
	if (*row->unit)
		buf_addf(&metric, " (%s)", row->unit);
	table_add_buf(t, &metric);
	table_add(t, row->container);
	table_add(t, row->vm);
	table_add(t, row->note ? row->note : "");
}

/* One table, so that its columns stand under each other; a group begins with its name. */
static int add_tables(const struct compare_report *r, struct buf *out)
{
	static const char *const headings[] = { "", "CONTAINER", "VM", "", NULL };
	AUTO(table_done) struct table t = { 0 };
	const char *group = "";

	table_start(&t, headings);
	for (size_t i = 0; i < r->n; i++) {
		if (strcmp(group, r->rows[i].group)) {
			group = r->rows[i].group;
			table_add(&t, group);
			for (int cell = 1; cell < 4; cell++)
				table_add(&t, "");
		}
		add_cells(&t, &r->rows[i]);
	}
	return table_print(&t, out);
}

static int print_report(const struct compare_report *r, bool json, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };

	if (json) {
		json_print(&compare_report_table, r, JSON_PRETTY | JSON_ALL, &out);
		buf_addc(&out, '\n');
		return cli_print(&out, e);
	}
	buf_adds(&out, "Image: ");
	text_add(&out, r->image);
	buf_adds(&out, "\nWorkload: ");
	text_add(&out, r->workload);
	buf_addc(&out, '\n');
	if (add_tables(r, &out) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return cli_print(&out, e);
}

/* Our image and workload come as words; "--" between them is optional. */
static void take_words(struct strv *words, struct compare_request *rq)
{
	size_t first = words->n > 1 && !strcmp(words->v[1], "--") ? 2 : 1;

	rq->image = words->v[0];
	rq->args = (struct strv){ words->v + first, words->n - first };
}

static int compare_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(compare_done) struct compare_report report = { 0 };
	struct compare_request rq = { 0 };
	struct engine *en = cli_engine(c, e);
	int r;

	take_words(words, &rq); /* borrowed */
	r = en ? engine_compare(en, &rq, &report, e) : -e->no;
	if (r == 0)
		r = print_report(&report, ((const struct compare_args *)args)->json, e);
	if (r < 0)
		return r;
	if (report.container_error)
		log_error("no container: %s", report.container_error);
	if (report.vm_error)
		log_error("no virtual machine: %s", report.vm_error);
	return report.container_error || report.vm_error ? STATUS_FAILED : 0;
}

const struct command cmd_compare = {
	.name = "compare",
	.usage = "IMAGE [-- COMMAND [ARG...]]",
	.summary = "Run the same workload as a container and as a virtual machine, and compare",
	.text = "Every number is measured in this run: what the workload sees of the host, what the host "
		"pays for it, how long it takes to its first output, and how fast system calls, memory "
		"and files are inside.\n\n"
		"The output of the command is not shown; after half a minute it is stopped.",
	.opts = compare_opts,
	.args_size = sizeof(struct compare_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.grammar = OPTS_FIRST,
	.makes_store = true,
	.run = compare_run,
};

/* ps.c - ketch ps: the instances, newest first */
#include <errno.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/text.h"

#define COMMAND_WIDTH 20

struct ps_args {
	bool all, quiet, no_trunc;
	char *format;
};

static const struct opt ps_opts[] = {
	OPT(FLAG, 'a', "all", struct ps_args, all, NULL, "Show also those that do not run"),
	OPT(CHOICE, 0, "format", struct ps_args, format, "json|table",
	    "How to print them; json: an object a line"),
	OPT(FLAG, 0, "no-trunc", struct ps_args, no_trunc, NULL, "Do not shorten ids and commands"),
	OPT(FLAG, 'q', "quiet", struct ps_args, quiet, NULL, "Print ids only"),
	{ 0 },
};

/* One line; Docker's names.  All strings are owned. */
struct ps_row {
	char *id, *image, *command, *created, *ago, *status, *isolation, *names, *state, *labels;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct ps_row, command, "Command"),
	JK(J_STR, struct ps_row, created, "CreatedAt"),
	JK(J_STR, struct ps_row, id, "ID"),
	JK(J_STR, struct ps_row, image, "Image"),
	JK(J_STR, struct ps_row, isolation, "Isolation"),
	JK(J_STR, struct ps_row, labels, "Labels"),
	JK(J_STR, struct ps_row, names, "Names"),
	JK(J_STR, struct ps_row, ago, "RunningFor"),
	JK(J_STR, struct ps_row, state, "State"),
	JK(J_STR, struct ps_row, status, "Status"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct ps_row), row_fields };

static void row_done(struct ps_row *row)
{
	json_done(&row_table, row);
}

/* "Up 3 minutes", "Exited (0) 2 hours ago", "Created" */
static char *status_words(const struct instance_state *s, int64_t now_ns)
{
	struct buf b = { 0 };
	char words[64];

	switch ((enum instance_status)s->status) {
	case STATUS_RUNNING:
		duration_words(now_ns - s->started_ns, words, sizeof(words));
		buf_addf(&b, "Up %s", words);
		break;
	case STATUS_EXITED:
		buf_addf(&b, "Exited (%d) ", s->exit_code);
		text_add_ago(&b, now_ns, s->finished_ns);
		break;
	case STATUS_STARTING:
		buf_adds(&b, "Starting");
		break;
	case STATUS_CREATED:
	case STATUS_N:
		buf_adds(&b, "Created");
		break;
	}
	return buf_take(&b);
}

static char *command_words(const struct strv *args, size_t max)
{
	AUTO(buf_done) struct buf line = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < args->n; i++)
		buf_addf(&line, "%s%s", i ? " " : "", args->v[i]);
	buf_addc(&b, '"');
	text_add_cut(&b, line.data ? line.data : "", max);
	buf_addc(&b, '"');
	b.failed |= line.failed;
	return buf_take(&b);
}

static char *safe_text(const char *s)
{
	struct buf b = { 0 };

	text_add(&b, s ? s : "");
	return buf_take(&b);
}

static char *label_words(const struct strv *labels)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < labels->n; i++) {
		buf_adds(&b, i ? "," : "");
		text_add(&b, labels->v[i]);
	}
	return buf_take(&b);
}

static int make_row(const struct instance *in, const struct ps_args *a, struct ps_row *row)
{
	int64_t now_ns = clock_real_ns();
	struct buf id = { 0 }, created = { 0 }, ago = { 0 };

	if (a->no_trunc)
		text_add(&id, in->spec.id);
	else
		text_add_short_id(&id, in->spec.id);
	text_add_time(&created, in->spec.created_ns);
	text_add_ago(&ago, now_ns, in->spec.created_ns);
	*row = (struct ps_row){
		.id = buf_take(&id),
		.image = safe_text(in->spec.image),
		.command = command_words(&in->spec.process.args, a->no_trunc ? SIZE_MAX : COMMAND_WIDTH),
		.created = buf_take(&created),
		.ago = buf_take(&ago),
		.status = status_words(&in->state, now_ns),
		.isolation = safe_text(isolation_names[in->spec.isolation]),
		.names = safe_text(in->spec.name),
		.state = safe_text(status_names[in->state.status]),
		.labels = label_words(&in->spec.labels),
	};
	return row->id && row->image && row->command && row->created && row->ago && row->status &&
			       row->isolation && row->names && row->state && row->labels
		       ? 0
		       : -ENOMEM;
}

static void add_cells(struct table *t, const struct ps_row *row)
{
	table_add(t, row->id);
	table_add(t, row->image);
	table_add(t, row->command);
	table_add(t, row->ago);
	table_add(t, row->status);
	table_add(t, row->isolation);
	table_add(t, row->names);
}

static int add_rows(const struct instance *in, size_t n, const struct ps_args *a, struct buf *out)
{
	static const char *const headings[] = { "CONTAINER ID", "IMAGE",     "COMMAND", "CREATED",
						"STATUS",	"ISOLATION", "NAMES",	NULL };
	AUTO(table_done) struct table t = { 0 };
	int r = 0;

	table_start(&t, headings);
	for (size_t i = 0; i < n && r == 0; i++) {
		AUTO(row_done) struct ps_row row = { 0 };

		r = make_row(&in[i], a, &row);
		if (r < 0)
			break;
		if (a->quiet)
			buf_addf(out, "%s\n", row.id);
		else if (cli_is_json(a->format))
			r = cli_add_json_lines(&row_table, &row, 1, out);
		else
			add_cells(&t, &row);
	}
	if (r < 0 || a->quiet || cli_is_json(a->format))
		return r;
	return table_print(&t, out);
}

static int ps_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	const struct ps_args *a = args;
	struct engine *en = cli_engine(c, e);
	struct instance *in = NULL;
	size_t n = 0;
	int r = en ? engine_list(en, a->all, &in, &n, e) : -e->no;

	if (r < 0)
		return r;
	r = add_rows(in, n, a, &out);
	instances_free(in, n);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : cli_print(&out, e);
}

const struct command cmd_ps = {
	.name = "ps",
	.usage = "",
	.summary = "List instances",
	.opts = ps_opts,
	.args_size = sizeof(struct ps_args),
	.run = ps_run,
};

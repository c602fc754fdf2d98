/* events.c - ketch events: what happened, and what happens */
#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/when.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "events/journal.h"
#include "format/format.h"

struct events_args {
	char *since, *until, *format;
	struct strv filters;
	bool stream;
};

static const struct opt events_opts[] = {
	OPT(LIST, 'f', "filter", struct events_args, filters, "KEY=VALUE",
	    "Only those of container, event, image, label, type or volume"),
	OPT(STR, 0, "format", struct events_args, format, "json|TEMPLATE",
	    "json: each as an object on a line; or a Go template for each"),
	OPT(STR, 0, "since", struct events_args, since, "TIME",
	    "Begin with those of the past: a time stamp, or a duration such as 10m"),
	OPT(FLAG, 0, "stream", struct events_args, stream, NULL,
	    "Go on with what happens (default); --stream=false: only the past"),
	OPT(STR, 0, "until", struct events_args, until, "TIME", "End there: the same"),
	{ 0 },
};

#define PRINT_FAILED 1 /* what ends the reading, with the error in the printer's e */

struct printer {
	bool json;
	struct format *format; /* or NULL */
	struct buf out;
	struct err *e;
};

static int flush(void *arg)
{
	struct printer *p = arg;
	int r = p->out.len || p->out.failed ? cli_print(&p->out, p->e) : 0;

	p->out.len = 0;
	return r;
}

static int add_by_template(struct printer *p, const char *line, size_t n)
{
	AUTO(json_tree_done) struct json_value v = { 0 };
	int r = json_tree_parse(line, n, &v, p->e);

	if (r == 0 && listing_make_harmless(&v) < 0)
		r = err_set(p->e, ENOMEM, "out of memory");
	return r < 0 ? r : format_run(p->format, &v, &p->out, p->e);
}

static int print_event(void *arg, const struct event *ev, const char *line, size_t n)
{
	struct printer *p = arg;
	AUTO(buf_done) struct buf text = { 0 };
	int r = 0;

	if (p->json) {
		buf_add(&p->out, line, n);
	} else if (p->format) {
		r = add_by_template(p, line, n);
	} else {
		event_add_line(ev, &text);
		if (text.len)
			text.data[--text.len] = '\0';
		text_add(&p->out, text.data ? text.data : "");
	}
	buf_addc(&p->out, '\n');
	if (r < 0)
		return PRINT_FAILED;
	return p->out.len > 65536 ? flush(p) : 0;
}

int cli_take_when(const char *option, const char *text, int64_t *ret_ns, struct err *e)
{
	if (!text || parse_when(text, clock_real_ns(), ret_ns) == 0)
		return 0;
	return err_set(
		e, EINVAL,
		"invalid value for %s: \"%.160s\" must be a time such as 2026-11-20T16:37:48Z, seconds "
		"since 1970, or a duration such as 10m",
		option, text);
}

int cli_take_bound(const char *option, const char *text, int64_t *ret_ns, struct err *e)
{
	return text && *text ? cli_take_when(option, text, ret_ns, e) : 0;
}

static void printer_done(struct printer *p)
{
	buf_done(&p->out);
	format_free(p->format);
}

static int take_query(const struct events_args *a, struct journal_query *q, struct err *e)
{
	int r;

	/* without a beginning Docker tells only what comes */
	*q = (struct journal_query){ .since_ns = a->stream ? clock_real_ns() : 0,
				     .filters = &a->filters,
				     .follow = a->stream };
	r = cli_take_bound("--since", a->since, &q->since_ns, e);
	if (r == 0)
		r = cli_take_bound("--until", a->until, &q->until_ns, e);
	if (r == 0 && a->since && *a->since && q->until_ns && q->until_ns < q->since_ns)
		r = err_set(e, EINVAL, "--since %.60s is after --until %.60s", a->since, a->until);
	return r < 0 ? r : event_check_filters(&a->filters, e);
}

static int events_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct events_args *a = args;
	AUTO(printer_done) struct printer p = { .json = cli_is_json(a->format), .e = e };
	const struct journal_reader rd = { print_event, flush, &p };
	struct journal_query q;
	struct engine *en;
	int r = take_query(a, &q, e);

	if (r == 0 && a->format && !p.json)
		r = format_parse(a->format, 0, &p.format, e);
	if (r < 0)
		return r;
	c->makes_store = a->stream; /* what is waited for comes to a store that is there */
	en = cli_engine(c, e);
	r = en ? journal_read(engine_events(en), &q, &rd, e) : -e->no;
	if (r == PRINT_FAILED)
		return -e->no;
	return r < 0 ? r : flush(&p);
}

static const struct events_args events_defaults = { .stream = true };
const struct command cmd_events = {
	.name = "events",
	.usage = "",
	.summary = "Tell what happens to instances, images and volumes",
	.text = "A line for each event, as it happens; --since begins earlier, --until ends.  The journal of "
		"the store keeps about the last 60,000 events.\n\n"
		"Instances: create, start, die, oom, stop, kill, restart, pause, unpause, rename, update, "
		"destroy, exec_create, exec_start, exec_die and health_status.  Images: import, load, tag, "
		"untag and delete.  Volumes: create and destroy.",
	.opts = events_opts,
	.args_size = sizeof(struct events_args),
	.defaults = &events_defaults,
	.run = events_run,
};

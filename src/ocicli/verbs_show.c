/* verbs_show.c - state, list, ps: what there is */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/json.h"
#include "cgroup/ops.h"
#include "ocicli/ocicli.h"

/* --- state */

static int run_state(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	AUTO(container_ref_done) struct container_ref ref = { .dir = -1 };
	AUTO(buf_done) struct buf b = { 0 };
	int r = container_ref_open(&c->rt, words->v[0], &ref, e);

	if (r < 0)
		return r;
	r = runtime_add_state(&ref.record, ref.status, STATE_PRETTY, &b);
	buf_adds(&b, "\n");
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : oci_print(&b, e);
}

static const struct opt no_opts[] = { { 0 } };

const struct verb verb_state = {
	.name = "state",
	ONE_CONTAINER,
	.summary = "Print the state of a container as JSON",
	.opts = no_opts,
	.run = run_state,
};

/* --- list */

struct list_args {
	char *format;
	bool quiet;
};

static const struct opt list_opts[] = {
	OPT(CHOICE, 'f', "format", struct list_args, format, "table|json", "How to print them"),
	OPT(FLAG, 'q', "quiet", struct list_args, quiet, NULL, "Print the IDs only"),
	{ 0 },
};

static void add_row(struct buf *out, const struct container_ref *ref)
{
	const struct record *r = &ref->record;
	char created[RFC3339_LEN];

	rfc3339_format(r->created_ns, created);
	buf_addf(out, "%-24s %-10d %-10s %-36s %-31s root\n", r->id,
		 ref->status == CONTAINER_STOPPED ? 0 : r->pid, container_status_names[ref->status],
		 r->bundle ? r->bundle : "", created);
}

static int add_one(struct buf *out, const struct list_args *a, bool json, const struct container_ref *ref)
{
	if (a->quiet) {
		buf_addf(out, "%s\n", ref->record.id);
		return 0;
	}
	if (!json) {
		add_row(out, ref);
		return 0;
	}
	if (out->len > 1)
		buf_adds(out, ",");
	return runtime_add_state(&ref->record, ref->status, STATE_OWNED, out);
}

static int run_list(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	const struct list_args *a = args;
	bool json = a->format && !strcmp(a->format, "json");
	AUTO(strv_done) struct strv ids = { 0 };
	AUTO(buf_done) struct buf b = { 0 };
	int r = runtime_list(&c->rt, &ids, e);

	if (r < 0)
		return r;
	if (json && !a->quiet)
		buf_adds(&b, "[");
	else if (!a->quiet)
		buf_addf(&b, "%-24s %-10s %-10s %-36s %-31s %s\n", "ID", "PID", "STATUS", "BUNDLE", "CREATED",
			 "OWNER");
	for (size_t i = 0; i < ids.n && r == 0; i++) {
		AUTO(container_ref_done) struct container_ref ref = { .dir = -1 };

		/* one that goes while we look is not there */
		if (container_ref_open(&c->rt, ids.v[i], &ref, NULL) == 0)
			r = add_one(&b, a, json, &ref);
	}
	if (json && !a->quiet)
		buf_adds(&b, "]\n");
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : oci_print(&b, e);
}

const struct verb verb_list = {
	.name = "list",
	.usage = "",
	.summary = "Print all containers below --root",
	OPTIONS(list_opts, struct list_args),
	.run = run_list,
};

/* --- ps */

struct ps_args {
	char *format;
};

static const struct opt ps_opts[] = {
	OPT(CHOICE, 'f', "format", struct ps_args, format, "table|json", "How to print them"),
	{ 0 },
};

static int list_pids(struct verb_context *c, const char *id, struct pidv *ret, struct err *e)
{
	AUTO(container_ref_done) struct container_ref ref = { .dir = -1 };
	int r = container_ref_open(&c->rt, id, &ref, e);

	if (r < 0)
		return r;
	r = cgroup_pids(&ref.record.cgroups, ret);
	return r < 0 ? err_sys(e, -r, "cannot read the processes of the container") : 0;
}

/* ps(1) of the host prints what the user asks for; of its lines those of the container are kept. */
static int print_table(const struct pidv *pids, char *const *ps_words, struct err *e)
{
	AUTO(strv_done) struct strv argv = { 0 };
	AUTO(buf_done) struct buf list = { 0 };
	int r = strv_add(&argv, "ps");

	for (size_t i = 0; i < pids->n; i++)
		buf_addf(&list, "%s%d", i ? "," : "", (int)pids->v[i]);
	if (r == 0 && !*ps_words)
		r = strv_add(&argv, "-f");
	for (; *ps_words && r == 0; ps_words++)
		/* "-e", "-A" and "aux" ask for all processes, which -p would only add to */
		if (strcmp(*ps_words, "-ef") && strcmp(*ps_words, "-e") && strcmp(*ps_words, "-A"))
			r = strv_add(&argv, *ps_words);
		else
			r = strv_add(&argv, "-f");
	if (r == 0)
		r = strv_add(&argv, "-p");
	if (r == 0)
		r = strv_add(&argv, list.len ? list.data : "0");
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	execvp("ps", argv.v);
	return err_sys(e, errno, "cannot run ps(1)");
}

static int run_ps(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	const struct ps_args *a = args;
	struct pidv pids = { 0 };
	AUTO(buf_done) struct buf b = { 0 };
	int r = list_pids(c, words->v[0], &pids, e);

	if (r == 0 && a->format && !strcmp(a->format, "json")) {
		buf_adds(&b, "[");
		for (size_t i = 0; i < pids.n; i++)
			buf_addf(&b, "%s%d", i ? "," : "", (int)pids.v[i]);
		buf_adds(&b, "]\n");
		r = oci_print(&b, e);
	} else if (r == 0) {
		r = print_table(&pids, words->v + 1, e);
	}
	free(pids.v);
	return r;
}

const struct verb verb_ps = {
	.name = "ps",
	.usage = "CONTAINER [PS OPTION...]",
	.summary = "Print the processes of a container",
	OPTIONS(ps_opts, struct ps_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.grammar = OPTS_FIRST,
	.run = run_ps,
};

/* main.c - from argv to a verb, and from its error to stderr, --log and the exit status */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "ocicli/ocicli.h"

#define STATUS_FAILED 1

const struct opt oci_global_opts[] = {
	OPT(STR, 0, "root", struct oci_globals, root, "DIR", "Directory for the state of containers"),
	OPT(STR, 0, "log", struct oci_globals, log, "[file:]FILE",
	    "Write errors there, too; also journald:NAME, syslog:NAME"),
	OPT(CHOICE, 0, "log-format", struct oci_globals, log_format, "text|json", "Format of the log file"),
	OPT(FLAG, 0, "debug", struct oci_globals, debug, NULL,
	    "Also say, there or on stderr, what is done and how long it takes"),
	OPT(FLAG, 0, "systemd-cgroup", struct oci_globals, systemd_cgroup, NULL,
	    "Cgroups by systemd: linux.cgroupsPath is \"slice:prefix:name\""),
	OPT(CHOICE, 0, "cgroup-manager", struct oci_globals, cgroup_manager, "cgroupfs|systemd|disabled",
	    "The same as a word, as crun has it"),
	OPT(CHOICE, 0, "rootless", struct oci_globals, rootless, "auto|true|false",
	    "Accepted; found out by itself"),
	OPT(STR, 0, "criu", struct oci_globals, criu, "PATH",
	    "The program criu (default: looked up in PATH)"),
	OPT(FLAG, 'v', "version", struct oci_globals, version, NULL, "Print the version"),
	{ 0 },
};

const struct verb *const verbs[] = {
	&verb_create, &verb_run,      &verb_start,  &verb_exec,	      &verb_kill,    &verb_delete,
	&verb_state,  &verb_list,     &verb_ps,	    &verb_pause,      &verb_resume,  &verb_update,
	&verb_spec,   &verb_features, &verb_events, &verb_checkpoint, &verb_restore, NULL,
};

int oci_print(const struct buf *b, struct err *e)
{
	int r = buf_ok(b) ? write_full(1, b->data, b->len) : -ENOMEM;

	return r < 0 ? err_sys(e, -r, "cannot write to stdout") : 0;
}

/* --- errors */

static int complain(const struct oci_globals *g, const struct err *e, int status)
{
	log_error("%s", e->msg);
	if (g->log)
		oci_log(g, "error", e->msg);
	return status ? status : STATUS_FAILED;
}

/* --- words */

static bool is_known(const struct opt *opts, const char *name)
{
	size_t n = strcspn(name, "=");

	for (const struct opt *o = opts; o->type; o++)
		if (strlen(o->name) == n && !strncmp(o->name, name, n))
			return true;
	return false;
}

/* Go's flag package takes "-name" for "--name", and go-runc writes "-no-subreaper". */
static int spell_out(const struct opt *opts, char *const *argv, struct strv *ret)
{
	int r = 0;

	for (size_t i = 0; argv[i] && r == 0; i++) {
		const char *w = argv[i];

		if (!strcmp(w, "--")) {
			for (; argv[i] && r == 0; i++)
				r = strv_add(ret, argv[i]);
			return r;
		}
		if (w[0] == '-' && w[1] && w[1] != '-' && w[2] && is_known(opts, w + 1))
			r = strv_addf(ret, "-%s", w);
		else
			r = strv_add(ret, w);
	}
	return r;
}

static const struct verb *find_verb(const char *name)
{
	for (size_t i = 0; verbs[i]; i++)
		if (!strcmp(verbs[i]->name, name))
			return verbs[i];
	return NULL;
}

static int check_words(const struct verb *v, const struct strv *words, struct err *e)
{
	if (words->n < v->min_words)
		return err_set(e, EINVAL, "%s: \"%s\" is missing", v->name, v->usage);
	if (words->n > v->max_words)
		return err_set(e, EINVAL, "%s: unexpected argument \"%.80s\"", v->name,
			       words->v[v->max_words]);
	return 0;
}

/* --- running */

static int open_runtime(struct verb_context *c, const struct verb *v, struct err *e)
{
	const struct oci_globals *g = &c->globals;
	int r;

	if (v->no_runtime)
		return 0;
	r = runtime_open(&c->rt, g->root, e);
	if (r < 0)
		return r;
	/* before the bundle is entered; what is not there is told by whoever runs it */
	c->rt.criu = g->criu && strchr(g->criu, '/') ? realpath(g->criu, NULL) : NULL;
	if (g->criu && !c->rt.criu)
		r = str_copy(g->criu, &c->rt.criu);
	c->rt.exe_mount = &c->exe_mount;
	c->rt.systemd_cgroup =
		g->systemd_cgroup || (g->cgroup_manager && !strcmp(g->cgroup_manager, "systemd"));
	c->rt.no_cgroups = g->cgroup_manager && !strcmp(g->cgroup_manager, "disabled");
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int run_timed(struct verb_context *c, const struct verb *v, void *args, struct strv *words,
		     struct err *e)
{
	int64_t begin = clock_mono_ns();
	char what[64];
	int r;

	oci_debug(&c->globals, v->name, words, "begins");
	r = v->run(c, args, words, e);
	snprintf(what, sizeof(what), "%s after %lld us", r < 0 ? "failed" : "done",
		 (long long)(clock_mono_ns() - begin) / 1000);
	oci_debug(&c->globals, v->name, words, what);
	return r;
}

static int run_verb(struct verb_context *c, const struct verb *v, char *const *argv, struct err *e)
{
	AUTO(strv_done) struct strv spelled = { 0 }, words = { 0 };
	autofree void *args = calloc(1, v->args_size + 1);
	int r;

	if (!args || spell_out(v->opts, argv, &spelled) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (v->defaults)
		memcpy(args, v->defaults, v->args_size);
	r = opts_parse(v->opts, v->grammar, spelled.v ? spelled.v : argv, args, &words, e);
	if (r == OPTS_HELP) {
		AUTO(buf_done) struct buf b = { 0 };

		help_add_verb(&b, v);
		r = oci_print(&b, e);
		opts_done(v->opts, args);
		return r;
	}
	if (r == 0)
		r = check_words(v, &words, e);
	if (r == 0)
		r = open_runtime(c, v, e);
	if (r == 0)
		r = run_timed(c, v, args, &words, e);
	opts_done(v->opts, args);
	return r;
}

static int print_version(struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };

	buf_addf(&b, "ketch version %s\ncommit: %s\nspec: %s\n", KETCH_VERSION, KETCH_COMMIT,
		 OCI_RUNTIME_VERSION);
	return oci_print(&b, e);
}

static int print_help(struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };

	help_add_all(&b);
	return oci_print(&b, e);
}

/* The verb and its words, or NULL when the line asks for something else, which is then done. */
static int parse_line(struct verb_context *c, char *const *argv, const struct verb **ret, struct strv *words,
		      struct err *e)
{
	AUTO(strv_done) struct strv spelled = { 0 };
	int r;

	*ret = NULL;
	if (spell_out(oci_global_opts, argv, &spelled) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = opts_parse(oci_global_opts, OPTS_FIRST, spelled.v ? spelled.v : argv, &c->globals, words, e);
	if (r < 0)
		return r;
	if (c->globals.version)
		return print_version(e);
	if (r == OPTS_HELP || !words->n || !strcmp(words->v[0], "help"))
		return print_help(e);
	*ret = find_verb(words->v[0]);
	return *ret ? 0 : err_set(e, EINVAL, "unknown command \"%.80s\"", words->v[0]);
}

int oci_main(char *const *argv, int (*protect)(char *const *argv, int *ret_mount))
{
	struct verb_context c = { .rt = { .dir = -1, .cwd = -1 }, .exe_mount = -1 };
	AUTO(strv_done) struct strv words = { 0 };
	const struct verb *v;
	struct err e = { 0 };
	int r;

	log_set_name("ketch-oci");
	r = parse_line(&c, argv + 1, &v, &words, &e);
	if (r == 0 && v && v->inside) {
		r = protect(argv, &c.exe_mount);
		if (r < 0)
			err_sys(&e, -r, "cannot put this program out of reach of containers");
	}
	if (r == 0 && v)
		r = run_verb(&c, v, words.v + 1, &e);
	if (r < 0)
		r = complain(&c.globals, &e, v ? v->failure : 0);
	runtime_done(&c.rt);
	auto_close(&c.exe_mount);
	opts_done(oci_global_opts, &c.globals);
	return r;
}

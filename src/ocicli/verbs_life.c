/* verbs_life.c - create, run, start, kill, delete, pause, resume */
#include <errno.h>
#include <fcntl.h>
#include <regex.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "ocicli/ocicli.h"
#include "sys/pidfd.h"
#include "sys/signals.h"

static const struct opt no_opts[] = { { 0 } };

/* --- create */

#define CREATE_OPTS(s, m)                                                                                    \
	OPT(STR, 'b', "bundle", s, m bundle, "DIR", "The bundle: config.json and the root"),                 \
		OPT(STR, 0, "config", s, m config, "FILE", "Read this instead of the bundle's config.json"), \
		OPT(STR, 0, "pid-file", s, m pid_file, "FILE", "Write the process ID there"),                \
		OPT(STR, 0, "console-socket", s, m console_socket, "SOCKET",                                 \
		    "Send the master of the terminal there"),                                                \
		OPT(STR, 0, "pidfd-socket", s, m pidfd_socket, "SOCKET",                                     \
		    "Send a pidfd of the process there"),                                                    \
		OPT(FLAG, 0, "no-pivot", s, m no_pivot, NULL,                                                \
		    "Do not use pivot_root: for a root in a ramdisk"),                                       \
		OPT(FLAG, 0, "no-new-keyring", s, m no_new_keyring, NULL,                                    \
		    "Keep the caller's session keyring"),                                                    \
		OPT(INT, 0, "preserve-fds", s, m preserve_fds, "N", "Pass N further descriptors on")

static const struct opt create_opts[] = { CREATE_OPTS(struct create_args, ), { 0 } };

/* Descriptors of socket activation, if they are meant for us, are passed on before others (sd_listen_fds(3)). */
static int read_environment(struct create_args *a, struct err *e)
{
	const char *listen = getenv("LISTEN_FDS"), *pid = getenv("LISTEN_PID");
	uint32_t n = 0, to = 0;

	a->notify = getenv("NOTIFY_SOCKET");
	if (listen && pid && parse_u32(pid, &to) == 0 && to == (uint32_t)getpid() &&
	    parse_u32(listen, &n) < 0)
		return err_set(e, EINVAL, "LISTEN_FDS: \"%.40s\" is not a number", listen);
	if (a->preserve_fds < 0 || a->preserve_fds + n > 1024)
		return err_set(e, EINVAL, "--preserve-fds: must be from 0 to 1024");
	a->listen_fds = n;
	a->preserve_fds += n;
	for (int64_t i = 0; i < a->preserve_fds; i++)
		if (fcntl(3 + (int)i, F_GETFD) < 0)
			return err_set(e, EBADF, "--preserve-fds: descriptor %lld is not open",
				       (long long)i + 3);
	return 0;
}

static int run_create(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	struct create_args *a = args;
	int pidfd = -1, r = read_environment(a, e);

	return r < 0 ? r : runtime_create(&c->rt, words->v[0], a, &pidfd, e);
}

const struct verb verb_create = {
	.name = "create",
	ONE_CONTAINER,
	.summary = "Make a container whose program waits for \"start\"",
	OPTIONS(create_opts, struct create_args),
	.inside = true,
	.run = run_create,
};

/* --- run */

struct run_args {
	struct create_args create;
	bool detach, keep, no_subreaper;
};

static const struct opt run_opts[] = {
	CREATE_OPTS(struct run_args, create.),
	OPT(FLAG, 'd', "detach", struct run_args, detach, NULL, "Return when the program runs"),
	OPT(FLAG, 0, "keep", struct run_args, keep, NULL,
	    "Do not delete the container when its program has ended"),
	OPT(FLAG, 0, "no-subreaper", struct run_args, no_subreaper, NULL,
	    "Do not adopt orphans of the container"),
	{ 0 },
};

static int run_to_end(struct verb_context *c, const struct run_args *a, const char *id, int pidfd, int tty,
		      struct err *e)
{
	AUTO(notify_done) struct notify notify = NOTIFY_NONE;
	const struct foreground_args f = { .pidfd = pidfd, .tty = tty, .notify = &notify, .keep = a->keep };
	struct err ignored = { 0 };
	int r;

	if (!a->detach)
		signals_hold();
	r = runtime_start(&c->rt, id, a->detach ? NULL : &notify, e);
	if (r < 0) {
		runtime_delete(&c->rt, id, true, &ignored);
		return r;
	}
	return a->detach ? 0 : foreground_container(c, id, &f, e);
}

static int run_run(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	autoclose int pidfd = -1, ours = -1, theirs = -1;
	struct run_args *a = args;
	int pair[2], r = read_environment(&a->create, e);

	if (r < 0)
		return r;
	if (!a->detach && !a->create.console_socket) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return err_sys(e, errno, "cannot make a socket");
		ours = pair[0];
		theirs = a->create.console = pair[1];
	}
	if (!a->detach && !a->no_subreaper)
		prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	r = runtime_create(&c->rt, words->v[0], &a->create, &pidfd, e);
	return r < 0 ? r : run_to_end(c, a, words->v[0], pidfd, ours, e);
}

const struct verb verb_run = {
	.name = "run",
	ONE_CONTAINER,
	.summary = "Create and start a container, and delete it when it has ended",
	OPTIONS(run_opts, struct run_args),
	.inside = true,
	.run = run_run,
};

/* --- start, pause, resume */

static int run_start(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	return runtime_start(&c->rt, words->v[0], NULL, e);
}

const struct verb verb_start = {
	.name = "start",
	ONE_CONTAINER,
	.summary = "Let the program of a created container begin",
	.opts = no_opts,
	.run = run_start,
};

static int run_pause(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	return runtime_pause(&c->rt, words->v[0], true, e);
}

const struct verb verb_pause = {
	.name = "pause",
	ONE_CONTAINER,
	.summary = "Freeze all processes of a container",
	.opts = no_opts,
	.run = run_pause,
};

static int run_resume(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	return runtime_pause(&c->rt, words->v[0], false, e);
}

const struct verb verb_resume = {
	.name = "resume",
	ONE_CONTAINER,
	.summary = "Let the processes of a paused container go on",
	.opts = no_opts,
	.run = run_resume,
};

/* --- kill */

struct kill_args {
	bool all;
};

static const struct opt kill_opts[] = {
	OPT(FLAG, 'a', "all", struct kill_args, all, NULL, "Signal every process of the container"),
	{ 0 },
};

static int run_kill(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	const struct kill_args *a = args;
	int signo = SIGTERM;

	if (words->n > 1 && parse_signal(words->v[1], &signo) < 0)
		return err_set(e, EINVAL, "unknown signal \"%.40s\"", words->v[1]);
	return runtime_kill(&c->rt, words->v[0], signo, a->all, e);
}

const struct verb verb_kill = {
	.name = "kill",
	.usage = "CONTAINER [SIGNAL]",
	.summary = "Send a signal (SIGTERM) to the first process of a container",
	OPTIONS(kill_opts, struct kill_args),
	.min_words = 1,
	.max_words = 2,
	.run = run_kill,
};

/* --- delete */

struct delete_args {
	bool force, regex;
};

static const struct opt delete_opts[] = {
	OPT(FLAG, 'f', "force", struct delete_args, force, NULL,
	    "Also when it runs, and when it is not there"),
	OPT(FLAG, 0, "regex", struct delete_args, regex, NULL,
	    "CONTAINER is a regular expression: all whose ID it matches"),
	{ 0 },
};

/* One that cannot be deleted does not keep the others; the last of such errors is told. */
static int delete_matching(struct verb_context *c, const char *pattern, bool force, struct err *e)
{
	AUTO(strv_done) struct strv ids = { 0 };
	regex_t re;
	int r = runtime_list(&c->rt, &ids, e);

	if (r < 0)
		return r;
	if (regcomp(&re, pattern, REG_EXTENDED | REG_NOSUB) != 0)
		return err_set(e, EINVAL, "--regex: \"%.80s\" is no regular expression", pattern);
	for (size_t i = 0; i < ids.n; i++) {
		int k = regexec(&re, ids.v[i], 0, NULL, 0) ? 0 : runtime_delete(&c->rt, ids.v[i], force, e);

		r = k < 0 ? k : r;
	}
	regfree(&re);
	return r;
}

static int run_delete(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	const struct delete_args *a = args;

	return a->regex ? delete_matching(c, words->v[0], a->force, e)
			: runtime_delete(&c->rt, words->v[0], a->force, e);
}

const struct verb verb_delete = {
	.name = "delete",
	ONE_CONTAINER,
	.summary = "Remove what is left of a stopped container",
	OPTIONS(delete_opts, struct delete_args),
	.run = run_delete,
};

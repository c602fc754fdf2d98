/* build.c - a guest kernel configured, compiled and taken into the store: `ketch kernel build`
 *
 * Where it works, and what stays of that: build_place.c.  The kernel appears at the end, by import (import.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "kernel/build_int.h"
#include "kernel/embedded.h"
#include "kernel/kconfig.h"
#include "kernel/kernel_int.h"
#include "sys/batch.h"

#define IMAGE	    BUILD_OBJECTS "/arch/x86/boot/bzImage"
#define TELL_EVERY  (10 * NS_PER_S)
#define MAX_CONFIG  (4U << 20)
#define SHOWN_LOST  5 /* options that are named in the error */
#define SHOWN_CHARS 200

struct build {
	const struct kernel_build_request *rq;
	const char *config; /* the wanted options */
	const struct build_source *source;
	struct build_place place;
	int stop_fd;
	/* of the program that runs: */
	unsigned files; /* compiled so far */
	int64_t began_ns, told_ns;
	char error[SHOWN_CHARS], last[SHOWN_CHARS]; /* its first line that tells an error; its last line */
	bool disk_full;
};

static void tell(const struct build *b, const char *what)
{
	if (b->rq->progress)
		b->rq->progress(b->rq->progress_arg, what);
}

/* --- what the programs say */

static bool tells_error(const char *line)
{
	return strstr(line, "error:") || strstr(line, "*** ") || strstr(line, ": No such file");
}

static void count_file(struct build *b)
{
	int64_t now = clock_mono_ns();
	char text[80];

	b->files++;
	if (now - b->told_ns < TELL_EVERY)
		return;
	b->told_ns = now;
	snprintf(text, sizeof(text), "compiling: %u files in %lld s", b->files,
		 (long long)((now - b->began_ns) / NS_PER_S));
	tell(b, text);
}

static void on_line(void *arg, const char *line)
{
	struct build *b = arg;

	if (!strncmp(line, "  CC ", 5) || !strncmp(line, "  AS ", 5)) {
		count_file(b);
		return;
	}
	if (!line[strspn(line, " \t")])
		return;
	snprintf(b->last, sizeof(b->last), "%.*s", SHOWN_CHARS - 1, line);
	if (strstr(line, "No space left on device"))
		b->disk_full = true;
	if (!b->error[0] && tells_error(line))
		snprintf(b->error, sizeof(b->error), "%.*s", SHOWN_CHARS - 1, line);
}

/* --- its steps */

/* what: "compile the kernel" */
static int run(struct build *b, const struct strv *argv, const char *what, struct err *e)
{
	int status, r;

	b->error[0] = b->last[0] = '\0';
	b->began_ns = b->told_ns = clock_mono_ns();
	r = batch_run(&(struct batch){ .argv = argv->v,
				       .env = &b->place.env,
				       .log_fd = b->place.log_fd,
				       .stop_fd = b->stop_fd,
				       .line = on_line,
				       .arg = b },
		      &status);
	if (r == -ECANCELED)
		return err_set(e, ECANCELED, "interrupted");
	if (r == -ENOSPC || b->disk_full)
		return err_set(e, ENOSPC, "cannot %s: no room left on the disk of %s", what, b->place.dir);
	if (r < 0)
		return err_sys(e, -r, "cannot %s: %s", what, argv->v[0]);
	if (status)
		return err_set(e, EIO, "cannot %s: %s; all of it: %s", what,
			       b->error[0]  ? b->error
			       : b->last[0] ? b->last
					    : "it said nothing",
			       b->place.log);
	return 0;
}

static int unpack(struct build *b, struct err *e)
{
	AUTO(strv_done) struct strv argv = { 0 };
	autofree char *text = str_printf("unpacking %s", b->source->path);

	if (!text || build_plan_unpack(b->source, b->place.dir, &argv) < 0)
		return err_set(e, ENOMEM, "out of memory");
	tell(b, text);
	return run(b, &argv, "unpack the source", e);
}

/* Every wanted option must be in what the kernel's rules made of them. */
static int check_config(const struct build *b, struct err *e)
{
	AUTO(buf_done) struct buf config = { 0 }, words = { 0 };
	AUTO(strv_done) struct strv lost = { 0 };
	int r = read_file(b->place.dir_fd, BUILD_OBJECTS "/.config", MAX_CONFIG, &config);

	if (r < 0)
		return err_sys(e, -r, "%s/" BUILD_OBJECTS "/.config", b->place.dir);
	r = kconfig_lost(b->config, config.data ? config.data : "", &lost, e);
	if (r < 0 || !lost.n)
		return r;
	for (size_t i = 0; i < lost.n && i < SHOWN_LOST; i++)
		buf_addf(&words, "%s%.40s", i ? ", " : "", lost.v[i]);
	if (lost.n > SHOWN_LOST)
		buf_addf(&words, " and %zu more", lost.n - SHOWN_LOST);
	return err_set(e, EINVAL, "this source of Linux cannot be configured as wanted: %s",
		       buf_ok(&words) ? words.data : "");
}

static int configure(struct build *b, struct err *e)
{
	AUTO(strv_done) struct strv argv = { 0 };
	int r = write_file_atomic(b->place.dir_fd, BUILD_CONFIG, 0644, b->config, strlen(b->config));

	if (r < 0)
		return err_sys(e, -r, "%s/" BUILD_CONFIG, b->place.dir);
	if (build_plan_configure(b->source, b->place.dir, &argv) < 0)
		return err_set(e, ENOMEM, "out of memory");
	tell(b, "configuring");
	r = run(b, &argv, "configure the kernel", e);
	return r < 0 ? r : check_config(b, e);
}

static int compile(struct build *b, struct err *e)
{
	AUTO(strv_done) struct strv argv = { 0 };
	char text[64];

	if (build_plan_compile(b->source, b->place.dir, b->rq->jobs, &argv) < 0)
		return err_set(e, ENOMEM, "out of memory");
	snprintf(text, sizeof(text), "compiling with %u jobs: takes minutes", b->rq->jobs);
	tell(b, text);
	return run(b, &argv, "compile the kernel", e);
}

/* What the import takes: a kernel without modules has a list of those that are built in, and an empty one. */
static int collect(const struct build *b, struct err *e)
{
	static const struct {
		const char *from, *to;
	} files[] = {
		{ BUILD_OBJECTS "/modules.builtin", BUILD_MODULES "/modules.builtin" },
		{ BUILD_OBJECTS "/.config", BUILD_MODULES "/" BUILD_NOTE_CONFIG },
	};
	const char *from = b->source->identity ? b->source->identity : "";
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(files); i++)
		if (linkat(b->place.dir_fd, files[i].from, b->place.dir_fd, files[i].to, 0) < 0)
			return err_sys(e, errno, "%s/%s", b->place.dir, files[i].from);
	r = write_file_atomic(b->place.dir_fd, BUILD_MODULES "/modules.dep", 0644, "", 0);
	if (r == 0)
		r = write_file_atomic(b->place.dir_fd, BUILD_MODULES "/" BUILD_NOTE_FROM, 0644, from,
				      strlen(from));
	return r < 0 ? err_sys(e, -r, "%s/" BUILD_MODULES, b->place.dir) : 0;
}

static int import(const struct build *b, const char *root, char **ret_version, struct err *e)
{
	static const char *const notes[] = { BUILD_NOTE_CONFIG, BUILD_NOTE_FROM, NULL };
	autofree char *image = str_printf("%s/" IMAGE, b->place.dir);
	autofree char *modules = str_printf("%s/" BUILD_MODULES, b->place.dir);
	int r = image && modules ? collect(b, e) : err_set(e, ENOMEM, "out of memory");

	return r < 0 ? r
		     : kernel_import_noted(root, &(struct kernel_import){ image, modules, notes },
					   ret_version, e);
}

static int make_kernel(struct build *b, const char *root, char **ret_version, struct err *e)
{
	int r = b->source->is_dir ? 0 : unpack(b, e);

	if (r == 0)
		r = configure(b, e);
	if (r == 0)
		r = compile(b, e);
	return r < 0 ? r : import(b, root, ret_version, e);
}

/* --- all of it */

/* The kernel of the store that has been built of the same; NULL: there is none. */
static char *find_built(const char *root, const char *identity)
{
	char *version = NULL;
	struct kernel *k;
	size_t n;

	if (!identity || kernel_list(root, &k, &n, NULL) < 0)
		return NULL;
	for (size_t i = 0; i < n && !version; i++) {
		AUTO(buf_done) struct buf from = { 0 };
		autofree char *note = str_printf("%s/../" BUILD_NOTE_FROM, k[i].modules);

		if (k[i].in_store && note && read_file(AT_FDCWD, note, PATH_MAX * 2, &from) == 0 &&
		    from.data && !strcmp(from.data, identity))
			version = strdup(k[i].version);
	}
	kernels_free(k, n);
	return version;
}

/* Signals that would end us are held back until all is cleared up. */
static int hold_signals(sigset_t *old, struct err *e)
{
	sigset_t set;
	int fd;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, old);
	fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	return fd < 0 ? err_sys(e, errno, "signals") : fd;
}

/* They have done what they were for. */
static void drop_signals(int fd)
{
	struct signalfd_siginfo si;

	while (fd >= 0 && read(fd, &si, sizeof(si)) == (ssize_t)sizeof(si))
		;
}

int build_run(const char *root, const struct kernel_build_request *rq, const struct build_order *o,
	      char **ret_version, struct err *e)
{
	struct build b = { .rq = rq, .source = o->source, .config = o->config };
	sigset_t old;
	int r = b.stop_fd = hold_signals(&old, e);

	if (r >= 0)
		r = build_place_open(root, rq->keep, &b.place, e);
	if (r == 0) {
		r = make_kernel(&b, root, ret_version, e);
		build_place_close(&b.place, root, r == 0 || r == -ECANCELED);
	}
	drop_signals(b.stop_fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
	if (b.stop_fd >= 0)
		close(b.stop_fd);
	return r;
}

int kernel_build(const char *root, const struct kernel_build_request *rq, char **ret_version, struct err *e)
{
	AUTO(build_source_done) struct build_source s = { 0 };
	int r = build_source_find(rq->source, &s, e);

	if (r < 0)
		return r;
	*ret_version = rq->keep ? NULL : find_built(root, s.identity);
	if (*ret_version)
		return 0;
	r = build_check_tools(&s, e);
	return r < 0 ? r : build_run(root, rq, &(struct build_order){ &s, embedded_kconfig }, ret_version, e);
}

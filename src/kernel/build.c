/* build.c - a guest kernel configured, compiled and taken into the store: `ketch kernel build`
 *
 * A build works in ROOT/kernels/.build, which it has locked while it lives; what one that was killed has left there
 * goes with the next build, import or removal.  Its log is ROOT/kernels/build.log, which stays when it fails.  With
 * --keep both are in a directory of the user's, and stay.  The kernel appears at the end, by import (import.c).
 *
 *	source		what the archive holds; a directory is built from where it is, and not written to
 *	objects		.config, then arch/x86/boot/bzImage and modules.builtin
 *	modules		these two lists, and notes: what the import gets
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/build_int.h"
#include "kernel/embedded.h"
#include "kernel/kconfig.h"
#include "kernel/kernel_int.h"
#include "sys/batch.h"

#define WORK_DIR    ".build"
#define LOG	    "build.log"
#define IMAGE	    BUILD_OBJECTS "/arch/x86/boot/bzImage"
#define TELL_EVERY  (10 * NS_PER_S)
#define MAX_CONFIG  (4U << 20)
#define SHOWN_LOST  5 /* options that are named in the error */
#define SHOWN_CHARS 200

struct build {
	const struct kernel_build_request *rq;
	const char *config; /* the wanted options */
	const struct build_source *source;
	char *dir, *log; /* paths, absolute */
	struct strv env;
	int dir_fd, log_fd, stop_fd;
	/* of the program that runs: */
	unsigned files; /* compiled so far */
	int64_t began_ns, told_ns;
	char error[SHOWN_CHARS], last[SHOWN_CHARS]; /* its first line that tells an error; its last line */
	bool disk_full;
};

static void build_done(struct build *b)
{
	auto_close(&b->dir_fd);
	auto_close(&b->log_fd);
	auto_close(&b->stop_fd);
	strv_done(&b->env);
	free(b->dir);
	free(b->log);
}

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
				       .env = &b->env,
				       .log_fd = b->log_fd,
				       .stop_fd = b->stop_fd,
				       .line = on_line,
				       .arg = b },
		      &status);
	if (r == -ECANCELED)
		return err_set(e, ECANCELED, "interrupted");
	if (r == -ENOSPC || b->disk_full)
		return err_set(e, ENOSPC, "cannot %s: no room left on the disk of %s", what, b->dir);
	if (r < 0)
		return err_sys(e, -r, "cannot %s: %s", what, argv->v[0]);
	if (status)
		return err_set(e, EIO, "cannot %s: %s; all of it: %s", what,
			       b->error[0]  ? b->error
			       : b->last[0] ? b->last
					    : "it said nothing",
			       b->log);
	return 0;
}

static int unpack(struct build *b, struct err *e)
{
	AUTO(strv_done) struct strv argv = { 0 };
	autofree char *text = str_printf("unpacking %s", b->source->path);

	if (!text || build_plan_unpack(b->source, b->dir, &argv) < 0)
		return err_set(e, ENOMEM, "out of memory");
	tell(b, text);
	return run(b, &argv, "unpack the source", e);
}

/* Every wanted option must be in what the kernel's rules made of them. */
static int check_config(const struct build *b, struct err *e)
{
	AUTO(buf_done) struct buf config = { 0 }, words = { 0 };
	AUTO(strv_done) struct strv lost = { 0 };
	int r = read_file(b->dir_fd, BUILD_OBJECTS "/.config", MAX_CONFIG, &config);

	if (r < 0)
		return err_sys(e, -r, "%s/" BUILD_OBJECTS "/.config", b->dir);
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
	int r = write_file_atomic(b->dir_fd, BUILD_CONFIG, 0644, b->config, strlen(b->config));

	if (r < 0)
		return err_sys(e, -r, "%s/" BUILD_CONFIG, b->dir);
	if (build_plan_configure(b->source, b->dir, &argv) < 0)
		return err_set(e, ENOMEM, "out of memory");
	tell(b, "configuring");
	r = run(b, &argv, "configure the kernel", e);
	return r < 0 ? r : check_config(b, e);
}

static int compile(struct build *b, struct err *e)
{
	AUTO(strv_done) struct strv argv = { 0 };
	char text[64];

	if (build_plan_compile(b->source, b->dir, b->rq->jobs, &argv) < 0)
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
		if (linkat(b->dir_fd, files[i].from, b->dir_fd, files[i].to, 0) < 0)
			return err_sys(e, errno, "%s/%s", b->dir, files[i].from);
	r = write_file_atomic(b->dir_fd, BUILD_MODULES "/modules.dep", 0644, "", 0);
	if (r == 0)
		r = write_file_atomic(b->dir_fd, BUILD_MODULES "/" BUILD_NOTE_FROM, 0644, from, strlen(from));
	return r < 0 ? err_sys(e, -r, "%s/" BUILD_MODULES, b->dir) : 0;
}

static int import(const struct build *b, const char *root, char **ret_version, struct err *e)
{
	static const char *const notes[] = { BUILD_NOTE_CONFIG, BUILD_NOTE_FROM, NULL };
	autofree char *image = str_printf("%s/" IMAGE, b->dir);
	autofree char *modules = str_printf("%s/" BUILD_MODULES, b->dir);
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

/* --- where it works */

static bool is_empty_dir(int fd)
{
	DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n == 2; /* "." and ".." */
}

static int open_kept(struct build *b, struct err *e)
{
	b->dir_fd = mkdir_open(AT_FDCWD, b->rq->keep, 0755);
	if (b->dir_fd < 0)
		return err_sys(e, -b->dir_fd, "%s", b->rq->keep);
	if (!is_empty_dir(b->dir_fd))
		return err_set(e, EEXIST, "%s is not empty", b->rq->keep);
	b->dir = realpath(b->rq->keep, NULL);
	b->log = b->dir ? str_printf("%s/" LOG, b->dir) : NULL;
	return b->log ? 0 : err_sys(e, errno, "%s", b->rq->keep);
}

void kernel_build_sweep(int kernels)
{
	autoclose int fd = openat(kernels, WORK_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		remove_tree(kernels, WORK_DIR);
}

/* Made, and found to be nobody's, under the lock of the store's kernels. */
static int open_staging(struct build *b, const char *root, struct err *e)
{
	autoclose int kernels = kernel_lock_dir(root, e);
	autofree char *path = str_printf("%s/kernels/", root);

	if (kernels < 0)
		return kernels;
	kernel_build_sweep(kernels);
	b->dir_fd = mkdir_open(kernels, WORK_DIR, 0700);
	if (b->dir_fd < 0)
		return err_sys(e, -b->dir_fd, "%s/kernels/" WORK_DIR, root);
	if (flock(b->dir_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, EBUSY, "another ketch kernel build is under way in %s", root);
	path = path ? realpath(path, NULL) : NULL;
	b->dir = path ? str_printf("%s/" WORK_DIR, path) : NULL;
	b->log = path ? str_printf("%s/" LOG, path) : NULL;
	return b->dir && b->log ? 0 : err_sys(e, errno, "%s/kernels", root);
}

static int fill_dir(struct build *b, struct err *e)
{
	static const char *const dirs[] = { BUILD_SOURCE, BUILD_OBJECTS, BUILD_MODULES, BUILD_TMP };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(b->dir_fd, dirs[i], 0755) < 0)
			return err_sys(e, errno, "%s/%s", b->dir, dirs[i]);
	b->log_fd = open(b->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (b->log_fd < 0)
		return err_sys(e, errno, "%s", b->log);
	/* a compiler that is killed leaves files there */
	if (strv_addf(&b->env, "TMPDIR=%s/" BUILD_TMP, b->dir) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

/* The log stays where it tells of a failure. */
static void clean_up(const struct build *b, const char *root, int result)
{
	autoclose int kernels = b->rq->keep || !b->dir ? -1 : kernel_lock_dir(root, NULL);

	if (kernels < 0)
		return;
	remove_tree(kernels, WORK_DIR);
	if (result == 0 || result == -ECANCELED)
		unlinkat(kernels, LOG, 0);
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
	AUTO(build_done)
	struct build b = {
		.rq = rq, .source = o->source, .config = o->config, .dir_fd = -1, .log_fd = -1, .stop_fd = -1
	};
	sigset_t old;
	int r = b.stop_fd = hold_signals(&old, e);

	if (r >= 0)
		r = rq->keep ? open_kept(&b, e) : open_staging(&b, root, e);
	if (r == 0) {
		r = fill_dir(&b, e);
		if (r == 0)
			r = make_kernel(&b, root, ret_version, e);
		clean_up(&b, root, r);
	}
	drop_signals(b.stop_fd);
	sigprocmask(SIG_SETMASK, &old, NULL);
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

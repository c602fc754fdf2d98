/* gpg.c - what was signed by an OpenPGP key: gpgv reads it
 *
 * Message and keyring are nameless files that it inherits; it has no environment, no network, no files but programs and
 * libraries (Landlock, where the kernel has it), a user of its own where there are others, and can get no rights.
 *
 * Its exit status alone says too little: of the lines on its status descriptor (GnuPG, doc/DETAILS) exactly one message and
 * exactly one good signature are accepted.
 */
#include "image/gpg.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "image/fetch.h"
#include "sys/landlock.h"
#include "sys/pidfd.h"

#define GPGV	    "/usr/bin/gpgv"
#define USER	    (FETCH_UID + 1) /* not that of ketch-registry, which knows passwords */
#define WAIT_MS	    30000
#define OUTPUT_MAX  (64 << 10) /* of the message, and of the status */
#define MEMORY_MAX  (256 << 20)
#define STATUS_LINE "[GNUPG:] "

enum { IN_MESSAGE, OUT_MESSAGE, OUT_ERRORS, OUT_STATUS, IN_KEYRING, FDS };

/* --- the child */

static int give_up_files(void)
{
	static const char *const read[] = { "/usr",	   "/lib",
					    "/lib64",	   "/etc/ld.so.cache",
					    "/etc/gcrypt", "/proc/sys/crypto/fips_enabled" };
	int set = landlock_new(), r = 0;

	if (set < 0)
		return set == -ENOSYS || set == -EOPNOTSUPP ? 0 : set;
	for (size_t i = 0; r == 0 && i < ARRAY_LEN(read); i++)
		r = landlock_allow_path(set, read[i], false);
	if (r == 0)
		r = landlock_enter(set);
	close(set);
	return r;
}

static int give_up_rights(void)
{
	const struct rlimit memory = { MEMORY_MAX, MEMORY_MAX }, none = { 0, 0 };

	if (geteuid() == 0) {
		setgroups(0, NULL);
		if ((setresgid(USER, USER, USER) < 0 || setresuid(USER, USER, USER) < 0) &&
		    errno != EINVAL) /* there are no such users here */
			return -1;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || give_up_files() < 0)
		return -1;
	/* last: we may have more memory already */
	return setrlimit(RLIMIT_FSIZE, &none) < 0 || setrlimit(RLIMIT_CORE, &none) < 0 ||
			       setrlimit(RLIMIT_AS, &memory) < 0
		       ? -1
		       : 0;
}

static void run(const int fds[FDS])
{
	static const char *const argv[] = { "gpgv",	   "--quiet", "--homedir", "/nonexistent",
					    "--status-fd", "3",	      "--keyring", "/proc/self/fd/4",
					    "--output",	   "-",	      NULL };
	char *const env[] = { NULL };
	int up[FDS];

	for (int i = 0; i < FDS; i++)
		up[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, FDS);
	for (int i = 0; i < FDS; i++)
		if (up[i] < 0 || dup2(up[i], i) < 0)
			_exit(126);
	close_range(FDS, ~0U, 0);
	if (chdir("/") < 0 || give_up_rights() < 0)
		_exit(126);
	execve(GPGV, (char *const *)(uintptr_t)argv, env);
	_exit(127);
}

static int start(const int fds[FDS], struct err *e)
{
	int pidfd = -1;
	struct clone_args args = { .flags = CLONE_PIDFD |
					    (geteuid() ? 0 : CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS),
				   .pidfd = (uint64_t)(uintptr_t)&pidfd,
				   .exit_signal = SIGCHLD };
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (pid < 0)
		return err_sys(e, errno, "start " GPGV);
	if (!pid)
		run(fds);
	return pidfd;
}

/* --- what it says */

struct output {
	int fd; /* -1: at its end */
	struct buf text;
};

/* Some of it.  More than there may be is the end, and no good one. */
static int take(struct output *o, struct err *e)
{
	char *room = buf_room(&o->text, 4096);
	ssize_t n = room ? read(o->fd, room, 4096) : -1;

	if (n < 0 && room && errno == EINTR)
		return 0;
	if (n < 0)
		return err_sys(e, room ? errno : ENOMEM, "read what gpgv says");
	o->text.len += (size_t)n;
	o->text.data[o->text.len] = '\0';
	if (o->text.len > OUTPUT_MAX)
		return err_set(e, EPERM, "what is signed is larger than %d KiB", OUTPUT_MAX >> 10);
	if (!n)
		auto_close(&o->fd);
	if (!n)
		o->fd = -1;
	return 0;
}

static int hear(struct output out[2], struct err *e)
{
	int64_t end = clock_mono_ns() + WAIT_MS * INT64_C(1000000);

	while (out[0].fd >= 0 || out[1].fd >= 0) {
		struct pollfd p[] = { { .fd = out[0].fd, .events = POLLIN },
				      { .fd = out[1].fd, .events = POLLIN } };
		int64_t left = (end - clock_mono_ns()) / 1000000;
		int n = left > 0 ? poll(p, 2, (int)left) : 0, r = 0;

		if (n < 0 && errno != EINTR)
			return err_sys(e, errno, "wait for gpgv");
		if (n == 0)
			return err_set(e, ETIMEDOUT, "gpgv takes too long");
		for (int i = 0; n > 0 && r == 0 && i < 2; i++)
			if (p[i].revents)
				r = take(&out[i], e);
		if (r < 0)
			return r;
	}
	return 0;
}

static int end(int pidfd, siginfo_t *si, struct err *e)
{
	while (waitid(P_PIDFD, (id_t)pidfd, si, WEXITED) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "wait for gpgv");
	if (si->si_code == CLD_EXITED && si->si_status == 127)
		return err_set(e, ENOENT, GPGV " is missing, with which GPG signatures are checked");
	return 0;
}

/* How many lines begin with that word. */
static unsigned count(const char *status, const char *word)
{
	size_t n = strlen(word);
	unsigned found = 0;

	for (const char *at = status; at; at = strchr(at, '\n')) {
		at += *at == '\n';
		if (!strncmp(at, STATUS_LINE, sizeof(STATUS_LINE) - 1) &&
		    !strncmp(at + sizeof(STATUS_LINE) - 1, word, n) &&
		    strchr(" \n", at[sizeof(STATUS_LINE) - 1 + n]))
			found++;
	}
	return found;
}

static int judge(const char *status, bool ended_well, struct err *e)
{
	static const struct {
		const char *word, *why;
	} bad[] = {
		{ "NO_PUBKEY", "it is signed by another key" },
		{ "REVKEYSIG", "it is signed by a key that was revoked" },
		{ "EXPKEYSIG", "it is signed by a key that has expired" },
		{ "EXPSIG", "its signature has expired" },
		{ "BADSIG", "its signature is wrong" },
		{ "ERRSIG", "its signature cannot be checked" },
		{ "NODATA", "it is no OpenPGP signature" },
	};

	for (size_t i = 0; i < ARRAY_LEN(bad); i++)
		if (count(status, bad[i].word))
			return err_set(e, EPERM, "%s", bad[i].why);
	if (!ended_well || count(status, "PLAINTEXT") != 1 || count(status, "NEWSIG") != 1 ||
	    count(status, "GOODSIG") != 1 || count(status, "VALIDSIG") != 1)
		return err_set(e, EPERM, "it is no message with one signature");
	return 0;
}

/* --- the whole */

static int make_file(const struct buf *b, struct err *e)
{
	autoclose int fd = memfd_create("gpgv", MFD_CLOEXEC);
	int r = fd < 0 ? -errno : pwrite_full(fd, b->data, b->len, 0);

	return r < 0 ? err_sys(e, -r, "make a file for gpgv") : take_fd(&fd);
}

static void outputs_done(struct output (*out)[2])
{
	for (int i = 0; i < 2; i++) {
		auto_close(&(*out)[i].fd);
		buf_done(&(*out)[i].text);
	}
}

int gpg_verify(const struct buf *keyring, const struct buf *message, struct buf *ret, struct err *e)
{
	AUTO(outputs_done) struct output out[2] = { { .fd = -1 }, { .fd = -1 } };
	autoclose int in = make_file(message, e), keys = in < 0 ? in : make_file(keyring, e);
	autoclose int null = open("/dev/null", O_WRONLY | O_CLOEXEC), pidfd = -1;
	int text[2], status[2], r;
	siginfo_t si = { 0 };

	if (keys < 0)
		return keys;
	if (null < 0 || pipe_cloexec(text) < 0)
		return err_sys(e, errno, "make a pipe");
	out[0].fd = text[0];
	if (pipe_cloexec(status) < 0) {
		close(text[1]);
		return err_sys(e, errno, "make a pipe");
	}
	out[1].fd = status[0];
	pidfd = start((const int[FDS]){ in, text[1], null, status[1], keys }, e);
	close(text[1]);
	close(status[1]);
	if (pidfd < 0)
		return pidfd;
	r = hear(out, e);
	if (r < 0)
		pidfd_signal(pidfd, SIGKILL);
	if (end(pidfd, &si, r < 0 ? NULL : e) < 0 || r < 0)
		return r < 0 ? r : -e->no;
	r = judge(buf_ok(&out[1].text) && out[1].text.data ? out[1].text.data : "",
		  si.si_code == CLD_EXITED && si.si_status == 0, e);
	if (r == 0)
		buf_add(ret, out[0].text.data, out[0].text.len);
	return r;
}

/* foreground.c - run and exec in the foreground: waits, passes signals on, and carries the bytes of a terminal */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "ocicli/ocicli.h"
#include "sys/pidfd.h"
#include "sys/pty.h"
#include "sys/scm.h"
#include "sys/signals.h"
#include "sys/terminal.h"

enum { AT_SIGNAL, AT_MASTER, AT_STDIN, AT_NOTIFY, AT_N };

struct foreground {
	int pidfd, signals, master; /* master -1: no terminal */
	struct terminal terminal;
	struct notify *notify; /* NULL: nobody wants to know */
	bool stdin_open;
	char typed[16384]; /* what the terminal had no room for yet */
	size_t typed_n, typed_at;
	int status; /* -1 while it runs */
};

static void resize(struct foreground *f)
{
	int rows, cols;

	if (f->master >= 0 && terminal_size(0, &rows, &cols))
		pty_resize(f->master, rows, cols);
}

/* Also what the container has left to us as its subreaper. */
static void reap_others(void)
{
	siginfo_t si;

	for (;;) {
		memset(&si, 0, sizeof(si));
		/* the process itself is seen by its pidfd, and has to be left for that */
		if (waitid(P_ALL, 0, &si, WEXITED | WNOHANG | WNOWAIT) < 0 || !si.si_pid)
			return;
		if (waitid(P_PID, (id_t)si.si_pid, &si, WEXITED | WNOHANG) < 0)
			return;
	}
}

static void on_signal(struct foreground *f)
{
	struct signalfd_siginfo si;

	if (read(f->signals, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGCHLD) {
		int r = pidfd_reap(f->pidfd, &f->status);

		if (r == -EAGAIN) {
			f->status = -1;
			return;
		}
		reap_others();
	} else if (si.ssi_signo == SIGWINCH) {
		resize(f);
	} else {
		pidfd_signal(f->pidfd, (int)si.ssi_signo);
	}
}

/* One piece from `from` to `to`; false at the end. */
static bool carry(int from, int to)
{
	char data[16384];
	ssize_t n = read(from, data, sizeof(data));

	if (n < 0)
		return errno == EAGAIN || errno == EINTR;
	return n > 0 && write_full(to, data, (size_t)n) == 0;
}

/* More is read only when all of that is through: a program that does not read its terminal holds up nothing else. */
static void take_typed(struct foreground *f)
{
	ssize_t n = read(0, f->typed, sizeof(f->typed));

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	f->stdin_open = n > 0;
	f->typed_n = n > 0 ? (size_t)n : 0;
	f->typed_at = 0;
}

static void give_typed(struct foreground *f)
{
	ssize_t n = write(f->master, f->typed + f->typed_at, f->typed_n - f->typed_at);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	f->typed_at += n < 0 ? f->typed_n - f->typed_at : (size_t)n; /* nobody will read it */
	if (f->typed_at == f->typed_n)
		f->typed_n = 0;
}

static void drain(struct foreground *f)
{
	struct pollfd p = { .fd = f->master, .events = POLLIN };

	while (f->master >= 0 && poll(&p, 1, 0) > 0 && (p.revents & POLLIN))
		if (!carry(f->master, 1))
			return;
}

static void loop(struct foreground *f)
{
	while (f->status < 0) {
		struct pollfd p[AT_N] = {
			[AT_SIGNAL] = { .fd = f->signals, .events = POLLIN },
			[AT_MASTER] = { .fd = f->master, .events = POLLIN | (f->typed_n ? POLLOUT : 0) },
			[AT_STDIN] = { .fd = f->master >= 0 && f->stdin_open && !f->typed_n ? 0 : -1,
				       .events = POLLIN },
			[AT_NOTIFY] = { .fd = f->notify ? f->notify->sock : -1, .events = POLLIN },
		};

		if (poll(p, AT_N, -1) < 0)
			continue;
		if ((p[AT_MASTER].revents & POLLIN) && !carry(f->master, 1))
			f->master = -1;
		else if (p[AT_MASTER].revents & (POLLHUP | POLLERR) && !(p[AT_MASTER].revents & POLLIN))
			f->master = -1;
		if (p[AT_STDIN].revents && f->master >= 0)
			take_typed(f);
		if (f->typed_n && f->master >= 0)
			give_typed(f);
		if (p[AT_NOTIFY].revents)
			notify_hear(f->notify);
		if (p[AT_SIGNAL].revents)
			on_signal(f);
	}
	drain(f);
}

static int wait_for(const struct foreground_args *a, struct err *e)
{
	autoclose int signals = -1, master = a->tty >= 0 ? scm_receive(a->tty) : -1;
	struct foreground f = {
		.pidfd = a->pidfd,
		.stdin_open = true,
		.status = -1,
		.master = master,
		.notify = a->notify,
	};
	sigset_t all;

	signals_hold();
	sigfillset(&all);
	signals = f.signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return err_sys(e, errno, "cannot wait for signals");
	if (master >= 0) {
		fcntl(master, F_SETFL, O_NONBLOCK); /* made read and write, and nothing else */
		resize(&f);
		terminal_raw(&f.terminal, 0, true); /* where it is one */
	}
	/* it may have ended before the signals were blocked */
	if (pidfd_reap(a->pidfd, &f.status) < 0) {
		f.status = -1;
		loop(&f);
	} else {
		drain(&f);
	}
	terminal_restore(&f.terminal);
	return f.status;
}

int foreground_wait(int pidfd, int tty, struct err *e)
{
	return wait_for(&(struct foreground_args){ .pidfd = pidfd, .tty = tty }, e);
}

int foreground_container(const struct verb_context *c, const char *id, const struct foreground_args *a,
			 struct err *e)
{
	struct err ignored = { 0 };
	int r = wait_for(a, e), k;

	k = a->keep ? 0 : runtime_delete(&c->rt, id, true, r < 0 ? &ignored : e);
	return k < 0 ? k : r;
}

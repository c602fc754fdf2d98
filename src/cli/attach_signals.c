/* attach_signals.c - signals go to the process; but who is told to end ends, also where the instance is stuck
 *
 * How it works: behind a signal that is meant to end something the client asks for STATS, which a container's monitor and a
 * guest's agent answer at once, whatever the process does about the signal: one that takes its time to end, or goes on, has
 * its client.  Where there is no answer in time, or the instance is paused, the client ends by the signal; a second one
 * before the answer ends it at once.
 */
#include <errno.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/attach_int.h"

#define ANSWER_S 5

static void end_by(struct pump *p, int signo)
{
	p->fatal = signo;
	attach_finish(p, 128 + signo);
}

/* --- is anybody there? */

static void on_no_answer(void *arg, uint32_t events)
{
	struct pump *p = arg;

	log_warn("%s within %d seconds: this command ends, what it started may go on",
		 p->nobody_reads   ? "nobody read what it says"
		 : p->stands_still ? "the signal was not heard"
				   : "the instance does not answer",
		 ANSWER_S);
	end_by(p, p->unanswered);
}

int attach_answer_init(struct pump *p)
{
	p->answer = (struct watch){ .fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK),
				    .events = EPOLLIN,
				    .fn = on_no_answer,
				    .arg = p };
	return p->answer.fd < 0 ? -errno : loop_add(p->loop, &p->answer);
}

void attach_answer_done(struct pump *p)
{
	if (p->answer.fd < 0)
		return;
	if (p->loop)
		loop_del(p->loop, &p->answer);
	auto_close(&p->answer.fd);
}

static void set_deadline(struct pump *p, int seconds)
{
	const struct itimerspec t = { .it_value.tv_sec = seconds };

	timerfd_settime(p->answer.fd, 0, &t, NULL);
}

void attach_answered(struct pump *p)
{
	if (p->stands_still) /* its monitor is there, but the process is not */
		return;
	p->unanswered = 0;
	set_deadline(p, 0);
}

bool attach_is_about_answer(struct pump *p, const struct msg *m)
{
	uint32_t no = msg_u32(m, 0);

	if (no == EAGAIN) /* paused: to be told, once */
		p->stands_still = p->unanswered != 0;
	return p->unanswered && no == EBUSY; /* it has not answered others either */
}

static bool is_to_end(int signo)
{
	return signo == SIGTERM || signo == SIGINT || signo == SIGHUP || signo == SIGQUIT;
}

static void pass_on(struct pump *p, int signo)
{
	if (is_to_end(signo) && p->unanswered) {
		end_by(p, signo);
		return;
	}
	msg_put_u32(conn_out(p->conn), MSG_SIGNAL, p->a->stream, (uint32_t)signo);
	if (is_to_end(signo)) {
		p->unanswered = signo;
		p->stands_still = false;
		msg_put(conn_out(p->conn), MSG_STATS, 0, NULL, 0);
		set_deadline(p, ANSWER_S);
	}
	conn_flush(p->conn);
}

/* --- signals */

void attach_on_signal(void *arg, uint32_t events)
{
	struct pump *p = arg;
	struct signalfd_siginfo si;

	if (read(p->signals.fd, &si, sizeof(si)) != sizeof(si))
		return;
	if (si.ssi_signo == SIGWINCH && si.ssi_code == SI_KERNEL) {
		/* the window changed; to a process without a terminal (nginx, httpd) it would mean something else */
		if (p->a->tty && p->started)
			attach_send_size(p, 0);
	} else if (!p->terminal.keys && !p->a->keep_signals) {
		pass_on(p, (int)si.ssi_signo);
	} else if (si.ssi_signo == SIGWINCH) {
		attach_send_size(p, 0);
	} else {
		end_by(p, (int)si.ssi_signo);
	}
}

/* What kill(1) sends and a process may want; not the job control of our own shell. */
void attach_wanted_signals(sigset_t *set)
{
	static const int signals[] = { SIGHUP,	SIGINT,	 SIGQUIT, SIGUSR1, SIGUSR2,
				       SIGALRM, SIGTERM, SIGPWR,  SIGIO,   SIGWINCH };

	sigemptyset(set);
	for (size_t i = 0; i < ARRAY_LEN(signals); i++) {
		struct sigaction now;

		if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler != SIG_IGN)
			sigaddset(set, signals[i]);
	}
	for (int s = SIGRTMIN; s <= SIGRTMAX; s++)
		sigaddset(set, s);
}

/* threads.c - a virtual machine runs: its threads start together, stop together and go on together */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "vmm/machine_int.h"
#include "vmm/seal.h"

/* --- start */

void machine_thread_ready(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	m->ready++;
	pthread_cond_broadcast(&m->changed);
	while (!m->go)
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

void machine_thread_rest(struct machine *m)
{
	pthread_mutex_lock(&m->lock);
	for (;;)
		pthread_cond_wait(&m->changed, &m->lock);
}

static void *worker_thread(void *arg)
{
	struct worker *w = arg;
	struct machine *m = w->machine;
	char name[16];

	snprintf(name, sizeof(name), "device%u", (unsigned)(w - m->workers));
	prctl(PR_SET_NAME, name);
	if (seal_thread(SEAL_WORKER) < 0)
		machine_fail(m, "seccomp: %m");
	machine_thread_ready(m);
	loop_run(w->loop);
	machine_thread_rest(m);
}

static void on_kick_signal(int signo)
{
	/* it has done its work: KVM_RUN returns */
}

static int start(pthread_t *ret, void *(*fn)(void *arg), void *arg)
{
	pthread_attr_t attr;
	int r;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	r = pthread_create(ret, &attr, fn, arg);
	pthread_attr_destroy(&attr);
	return -r;
}

static void wait_ready(struct machine *m, unsigned n)
{
	pthread_mutex_lock(&m->lock);
	while (m->ready < n)
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

int machine_start_threads(struct machine *m, struct err *e)
{
	struct sigaction kick = { .sa_handler = on_kick_signal }; /* without SA_RESTART */
	int r = 0;

	sigaction(SIGNAL_KICK, &kick, NULL);
	for (unsigned i = 0; i < m->n_workers && r == 0; i++)
		r = start(&m->workers[i].thread, worker_thread, &m->workers[i]);
	for (unsigned i = 0; i < m->n_vcpus && r == 0; i++)
		r = start(&m->vcpus[i].thread, vcpu_thread, &m->vcpus[i]);
	if (r < 0)
		return err_sys(e, -r, "thread");
	wait_ready(m, m->n_workers + m->n_vcpus);
	return 0;
}

/* How it has ended; with `go`, all threads may. */
static enum machine_end look(struct machine *m, bool go)
{
	enum machine_end end;

	pthread_mutex_lock(&m->lock);
	end = m->end;
	if (go) {
		m->go = true;
		pthread_cond_broadcast(&m->changed);
	}
	pthread_mutex_unlock(&m->lock);
	return end;
}

enum machine_end machine_run(struct machine *m)
{
	int r = look(m, true) == END_NONE ? loop_run(m->loop) : 0;

	if (r < 0)
		machine_fail(m, "event loop: errno %d", -r);
	return look(m, false);
}

/* --- pause and resume */

static void kick(struct vcpu *v)
{
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	syscall(SYS_tgkill, getpid(), v->tid, SIGNAL_KICK);
}

void machine_wish(struct machine *m, enum machine_wish wish)
{
	pthread_mutex_lock(&m->lock);
	if (m->wish == WISH_END || m->wish == wish) {
		pthread_mutex_unlock(&m->lock);
		return;
	}
	__atomic_store_n(&m->wish, wish, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&m->changed);
	for (unsigned i = 0; i < m->n_vcpus && wish == WISH_PAUSE; i++)
		kick(&m->vcpus[i]);
	while (m->wish == wish && m->parked != (wish == WISH_PAUSE ? m->n_vcpus : 0))
		pthread_cond_wait(&m->changed, &m->lock);
	pthread_mutex_unlock(&m->lock);
}

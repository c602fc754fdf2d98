/* running.c - what a machine that runs is made of on our side: descriptors of its console, control and agent, a deadline */
#include "vm/running.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "instance/backend.h"
#include "vm/config.h"

#define BOOT_S_KVM 60
#define BOOT_S_TCG 120

static int boot_seconds(const struct instance_spec *s)
{
	return s->vm.accel_kvm ? BOOT_S_KVM : BOOT_S_TCG;
}

/* The limit holds from the first instruction on: what a kernel needs to boot counts like everything else that the machine does. */
void running_late_boot(const struct instance_spec *s, struct err *ret)
{
	const struct resources *r = &s->resources;
	uint64_t milli = r->cpu_milli	    ? r->cpu_milli
			 : r->cpu_period_us ? r->cpu_quota_us * 1000 / r->cpu_period_us
					    : 0;

	if (milli && milli < 1000)
		err_set(ret, ETIMEDOUT,
			"the virtual machine did not boot in %d s: --cpus %llu.%03llu leaves it too little "
			"to",
			boot_seconds(s), (unsigned long long)milli / 1000, (unsigned long long)milli % 1000);
	else
		err_set(ret, ETIMEDOUT, "the virtual machine did not boot in %d s", boot_seconds(s));
}

void running_set_deadline(struct running *r, int seconds)
{
	struct itimerspec t = { .it_value = { .tv_sec = seconds } };

	timerfd_settime(r->deadline.fd, 0, &t, NULL);
}

int machine_named_fd(const struct machine *m, const char *name)
{
	if (!strncmp(name, "fd:", 3))
		return boot_fd(m->boot, name + 3);
	if (!strcmp(name, "agent"))
		return m->agent_fd;
	if (!strcmp(name, "console"))
		return m->console_fd;
	if (!strcmp(name, "control"))
		return m->vmm_control_fd;
	for (size_t i = 0; i < m->n_shares && !strncmp(name, "share:", 6); i++)
		if (!strcmp(name + 6, m->shares[i].tag))
			return m->shares[i].vmm_fd;
	return -ENOENT;
}

static int make_pair(int *ret_ours, int *ret_theirs)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

static int open_console(struct running *r, const struct boot *b, struct loop *l)
{
	int ours, log, k = make_pair(&ours, &r->machine.console_fd);

	if (k < 0)
		return k;
	log = openat(boot_fd(b, "run"), "console.log", O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC,
		     0600);
	return console_open(&r->console, l, ours, log);
}

static int open_control(struct running *r, const struct boot *b, struct loop *l)
{
	struct machine *m = &r->machine;
	int k = make_pair(&m->control_fd, &m->vmm_control_fd);

	r->saving.boot = b;
	r->saving.control = &r->control;
	return k < 0 ? k
		     : vm_control_open(&r->control, l, m->control_fd, b->spec.vm.driver == VM_DRIVER_QEMU);
}

static int open_said(struct running *r, struct loop *l)
{
	int pair[2], k = pipe_cloexec(pair);

	if (k < 0)
		return k;
	r->machine.say_fd = pair[1];
	return console_open(&r->said, l, pair[0], -1);
}

int running_meet(struct running *r, bool restored, struct err *e)
{
	AUTO(buf_done) struct buf config = { 0 };
	const struct agent_start start = { .config = &config, .restored = restored };
	struct machine *m = &r->machine;
	int ours, k = vm_config_print(m->boot, &config, e);

	if (k < 0)
		return k;
	k = make_pair(&ours, &m->agent_fd);
	if (k < 0)
		return err_sys(e, -k, "socketpair");
	r->agent = agent_new(m->loop, ours, &start, r->agent_ops, r);
	return r->agent ? 0 : err_sys(e, errno, "guest agent");
}

static int open_deadline(struct running *r, const struct boot *b, struct loop *l)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	r->deadline.fd = fd;
	running_set_deadline(r, boot_seconds(&b->spec));
	return loop_add(l, &r->deadline);
}

int running_open(struct running *r, const struct boot *b, struct loop *l, struct err *e)
{
	int k = open_console(r, b, l);

	if (k == 0)
		k = open_control(r, b, l);
	if (k == 0)
		k = open_said(r, l);
	if (k == 0)
		k = open_deadline(r, b, l);
	return k < 0 ? err_sys(e, -k, "virtual machine") : running_meet(r, boot_fd(b, "state") >= 0, e);
}

void running_close_say(struct running *r)
{
	struct machine *m = &r->machine;

	if (m->say_fd >= 0)
		close(m->say_fd);
	m->say_fd = -1;
}

void running_hand(struct running *r, const struct buf *message)
{
	struct msg m;
	struct err e;

	if (msg_peek(message, PEER_MONITOR, &m, &e) == 1)
		r->ev->message(r->ev->arg, &m);
}

void running_tell(struct running *r, enum msg_type type, uint32_t stream, int no, const char *text)
{
	AUTO(buf_done) struct buf b = { 0 };

	msg_put_text(&b, type, stream, (uint32_t)no, text);
	running_hand(r, &b);
}

void running_kill(struct running *r)
{
	child_kill(&r->machine.vmm);
	for (size_t i = 0; i < r->machine.n_shares; i++)
		child_kill(&r->machine.shares[i].server);
}

void running_end(struct running *r, const struct err *why)
{
	if (!r->killed && !r->why.no)
		r->why = *why;
	r->killed = true;
	running_kill(r);
}

void running_free(struct running *r)
{
	struct machine *m;
	struct err e;

	if (!r)
		return;
	m = &r->machine;
	child_done(&m->vmm);
	for (size_t i = 0; i < m->n_shares; i++) {
		child_done(&m->shares[i].server);
		if (m->shares[i].vmm_fd >= 0)
			close(m->shares[i].vmm_fd);
	}
	agent_free(r->agent);
	vm_back_done(&r->back);
	console_close(&r->console);
	console_close(&r->said);
	running_close_say(r);
	if (m->agent_fd >= 0)
		close(m->agent_fd);
	if (m->console_fd >= 0)
		close(m->console_fd);
	vm_saving_close(&r->saving); /* its timer is in the loop of the control */
	vm_control_close(&r->control);
	if (m->control_fd >= 0)
		close(m->control_fd);
	if (m->vmm_control_fd >= 0)
		close(m->vmm_control_fd);
	if (r->deadline.fd >= 0) {
		loop_del(m->loop, &r->deadline);
		close(r->deadline.fd);
	}
	if (cgroup_kill_and_remove(&m->state->cgroups, &e) == 0)
		strv_done(&m->state->cgroups);
	cgroups_done(&m->cgroups);
	strv_done(&m->argv);
	buf_done(&m->kernel_args);
	free(r);
}

/* kvm_start.c - driver kvm: starting ketch-vmm, which jails itself (src/vmm/jail.h)
 *
 * Here it gets what it could not make itself later: /dev/kvm, a PID namespace, its cgroups.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "vm/kvm_int.h"

/* Option and number, and the descriptor that has it. */
static int give(struct machine *m, const char *option, int fd, int number)
{
	if (m->n_fds == ARRAY_LEN(m->fds))
		return -ENOSPC;
	m->fds[m->n_fds++] = (struct child_fd){ fd, number };
	return strv_add(&m->argv, option) < 0 ? -ENOMEM : strv_addf(&m->argv, "%d", number);
}

/* What it is restored from instead of being booted: "state", "ram/0", "ram/1" ... */
static int give_saved(struct machine *m)
{
	int fd = boot_fd(m->boot, "state"), r = fd < 0 ? 0 : give(m, "--state", fd, VMM_FD_STATE);
	char name[16];

	for (int i = 0; i < VMM_MAX_RAMS && fd >= 0 && r == 0; i++) {
		snprintf(name, sizeof(name), "ram/%d", i);
		fd = boot_fd(m->boot, name);
		if (fd >= 0)
			r = give(m, "--ram", fd, VMM_FD_RAM + i);
	}
	return r;
}

/* What the disk stands on is no part of the plan: it is how the instance came to be what it is. */
static int give_below(struct machine *m)
{
	int fd, r = 0;

	for (int i = 0; r == 0 && (fd = boot_fd_n(m->boot, "sealed", (size_t)i)) >= 0; i++) {
		if (m->n_fds == ARRAY_LEN(m->fds))
			return -ENOSPC;
		m->fds[m->n_fds++] = (struct child_fd){ fd, MACHINE_FD_BELOW + i };
		r = strv_add(&m->argv, "--below");
		if (r == 0)
			r = strv_addf(&m->argv, "fd=%d,serial=" GUEST_DISK, MACHINE_FD_BELOW + i);
	}
	return r;
}

static int complete(struct machine *m, int kvm_fd)
{
	int r = give(m, "--kvm", kvm_fd, VMM_FD_KVM);

	if (r == 0)
		r = give_below(m);
	if (r == 0)
		r = give(m, "--control", m->vmm_control_fd, VMM_FD_CONTROL);
	if (r == 0)
		r = give_saved(m);
	if (r == 0)
		r = strv_add(&m->argv, "--cmdline");
	return r < 0 ? r : strv_add(&m->argv, m->kernel_args.data);
}

static int prepare(void *arg, struct err *e)
{
	return machine_enter_cgroups(arg, e);
}

static int start(struct machine *m, struct err *e)
{
	int r;

	m->vmm.ended = m->child_ended;
	m->vmm.arg = m->arg;
	r = child_start(&m->vmm,
			&(struct child_spec){
				.name = "ketch-vmm",
				.argv = m->argv.v,
				.fds = m->fds,
				.n_fds = m->n_fds,
				.say_fd = m->say_fd,
				.cgroup_fd = machine_cgroup_fd(m),
				.clone_flags = CLONE_NEWPID,
				.prepare = prepare,
				.arg = m,
			},
			m->loop, e);
	if (r == 0)
		machine_drop_vmm_ends(m);
	return r;
}

static int apply_start(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	autoclose int kvm = open("/dev/kvm", O_RDWR | O_CLOEXEC);
	int r;

	if (kvm < 0)
		return err_sys(e, errno, "/dev/kvm");
	r = complete(m, kvm);
	return r < 0 ? err_sys(e, -r, "ketch-vmm") : start(m, e);
}

const struct step_op op_kvm_start = { "vmm-start", STAGE_HOST, apply_start };

/* seal.c - the system calls of each kind of thread after boot, and why each is there
 *
 * No open, no socket, connect or accept, no exec, clone, mmap or memfd: all that a machine will ever need was made before.
 */
#include "vmm/seal.h"

#include <errno.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <linux/seccomp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

#define MAIN   (1u << SEAL_MAIN)
#define WORKER (1u << SEAL_WORKER)
#define VCPU   (1u << SEAL_VCPU)
#define ALL    (MAIN | WORKER | VCPU)

static const struct {
	int nr;
	unsigned kinds;
} calls[] = {
	{ SYS_write, ALL }, /* eventfds (interrupts, kicks), serial output */
	{ SYS_read, MAIN | WORKER }, /* eventfds, timerfds */
	{ SYS_futex, ALL }, /* locks between threads */
	{ SYS_epoll_wait, MAIN | WORKER }, /* loops */
	{ SYS_epoll_ctl, ALL }, /* loop_set; a vcpu's thread resets devices */
	{ SYS_readv, MAIN | WORKER }, /* tap and console into guest buffers */
	{ SYS_writev, MAIN | WORKER },
	{ SYS_preadv, WORKER }, /* disks where there is no io_uring */
	{ SYS_pwritev, WORKER },
	{ SYS_fallocate, MAIN | WORKER }, /* RAM that the balloon gives back; discard and zeroes on disks */
	{ SYS_fdatasync, WORKER },
	{ SYS_io_uring_enter, WORKER | VCPU }, /* a vcpu that resets a disk waits for what is under way */
	{ SYS_timerfd_settime, WORKER }, /* rate limits of disks and networks */
	{ SYS_recvmsg, MAIN | VCPU }, /* control, vsock; vhost-user, at start and reset of a device */
	{ SYS_sendmsg, MAIN | VCPU },
	{ SYS_shutdown, MAIN }, /* one half of a connection of vsock */
	{ SYS_getrandom, MAIN }, /* the entropy device */
	{ SYS_madvise, MAIN }, /* buffers of vsock that are free again */
	{ SYS_close, MAIN }, /* connections of vsock, control */
	{ SYS_fcntl, MAIN }, /* a descriptor that came over control becomes non-blocking */
	{ SYS_clock_gettime, ALL }, /* where the clock cannot be read without the kernel */
	{ SYS_rt_sigreturn, VCPU }, /* from the kick */
	{ SYS_getpid, MAIN }, /* to kick */
	{ SYS_exit_group, MAIN },
};

/* With arguments: ioctl by request, tgkill by process and signal. */
static const struct {
	uint32_t request;
	unsigned kinds;
} ioctls[] = {
	{ KVM_RUN, VCPU },
	{ (uint32_t)KVM_SET_GSI_ROUTING, VCPU }, /* the guest wrote to the IOAPIC */
	{ TUNSETOFFLOAD, WORKER }, /* a driver of the network has chosen its features */
	{ (uint32_t)KVM_GET_REGS, VCPU }, /* to say where it failed */
	{ (uint32_t)KVM_GET_SREGS, VCPU },
};

static bool disabled;

/* --- the filter */

#define MOST_INSNS 96

struct program {
	struct sock_filter insns[MOST_INSNS];
	unsigned short n;
};

static void add(struct program *p, struct sock_filter insn)
{
	if (p->n < MOST_INSNS)
		p->insns[p->n++] = insn;
}

static void add_load(struct program *p, uint32_t offset)
{
	add(p, (struct sock_filter)BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offset));
}

static void add_return(struct program *p, uint32_t what)
{
	add(p, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, what));
}

/* Behind it, `n` instructions only where the loaded word is v. */
static void add_if(struct program *p, uint32_t v, uint8_t n)
{
	add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, v, 0, n));
}

static void add_if_allow(struct program *p, uint32_t v)
{
	add_if(p, v, 1);
	add_return(p, SECCOMP_RET_ALLOW);
}

#define NR     offsetof(struct seccomp_data, nr)
#define ARCH   offsetof(struct seccomp_data, arch)
#define ARG(i) (offsetof(struct seccomp_data, args) + (i)*8) /* its low half */

static void add_ioctl(struct program *p, enum seal_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(ioctls); i++)
		n += (ioctls[i].kinds & 1u << kind) != 0;
	if (!n)
		return;
	add_if(p, SYS_ioctl, (uint8_t)(2 + 2 * n));
	add_load(p, ARG(1));
	for (size_t i = 0; i < ARRAY_LEN(ioctls); i++)
		if (ioctls[i].kinds & 1u << kind)
			add_if_allow(p, ioctls[i].request);
	add_return(p, SECCOMP_RET_KILL_PROCESS);
}

/* Only the main thread, only to threads of this process, only the kick. */
static void add_tgkill(struct program *p, enum seal_kind kind)
{
	if (kind != SEAL_MAIN)
		return;
	add_if(p, SYS_tgkill, 6);
	add_load(p, ARG(0));
	add_if(p, (uint32_t)getpid(), 3);
	add_load(p, ARG(2));
	add_if_allow(p, SIGUSR1);
	add_return(p, SECCOMP_RET_KILL_PROCESS);
}

static void build(struct program *p, enum seal_kind kind)
{
	add_load(p, ARCH);
	add(p, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AUDIT_ARCH_X86_64, 1, 0));
	add_return(p, SECCOMP_RET_KILL_PROCESS);
	add_load(p, NR); /* x32's numbers are none of these */
	add_ioctl(p, kind);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (calls[i].kinds & 1u << kind)
			add_if_allow(p, (uint32_t)calls[i].nr);
	add_tgkill(p, kind);
	add_return(p, SECCOMP_RET_KILL_PROCESS);
}

int seal_thread(enum seal_kind kind)
{
	struct program p = { .n = 0 };
	struct sock_fprog prog = { .filter = p.insns };

	if (disabled)
		return 0;
	build(&p, kind);
	if (p.n == MOST_INSNS) {
		errno = E2BIG;
		return -1;
	}
	prog.len = p.n;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &prog) < 0 ? -1 : 0;
}

size_t seal_list(enum seal_kind kind, int *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls) && n < max; i++)
		if (calls[i].kinds & 1u << kind)
			ret[n++] = calls[i].nr;
	if (kind == SEAL_VCPU && n < max)
		ret[n++] = SYS_ioctl;
	if (kind == SEAL_MAIN && n < max)
		ret[n++] = SYS_tgkill;
	return n;
}

void seal_disable(void)
{
	disabled = true;
}

/* seal.c - the system calls of each kind of thread after boot, and why each is there
 *
 * No open, no socket, connect or accept, no exec, clone, mmap or memfd: all that a machine will ever need was made before.
 */
#include "vmm/seal.h"

#include <errno.h>
#include <linux/if_tun.h>
#include <linux/kvm.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "sys/confine.h"
#include "vmm/pagemap.h"

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
	{ SYS_preadv,
	  MAIN | WORKER }, /* disks where there is no io_uring; which pages there are; memory that is taken back */
	{ SYS_pwritev, MAIN | WORKER }, /* disks, and a snapshot: its memory and its state */
	{ SYS_fallocate, MAIN | WORKER }, /* RAM that the balloon gives back; discard and zeroes on disks */
	{ SYS_fdatasync, MAIN | WORKER }, /* as pwritev */
	{ SYS_io_uring_enter, ALL }, /* who resets or saves a disk waits for what is under way */
	{ SYS_timerfd_settime, WORKER }, /* rate limits of disks and networks */
	{ SYS_recvmsg, MAIN | VCPU }, /* control, vsock; vhost-user, at start and reset of a device */
	{ SYS_sendmsg, MAIN | VCPU },
	{ SYS_shutdown, MAIN }, /* one half of a connection of vsock */
	{ SYS_getrandom, MAIN }, /* the entropy device */
	{ SYS_madvise,
	  MAIN }, /* buffers of vsock that are free again, tables of a sealed image, RAM that is forgotten */
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
	{ (uint32_t)KVM_SET_GSI_ROUTING, MAIN | VCPU }, /* the guest wrote to the IOAPIC; rollback */
	{ TUNSETOFFLOAD, WORKER }, /* a driver of the network has chosen its features */
	{ (uint32_t)KVM_GET_REGS, MAIN | VCPU }, /* to say where it failed; a snapshot, as all below */
	{ (uint32_t)KVM_GET_SREGS, MAIN | VCPU },
	{ (uint32_t)KVM_SET_USER_MEMORY_REGION, MAIN }, /* the log of changed pages, on and off */
	{ (uint32_t)KVM_GET_DIRTY_LOG, MAIN | WORKER },
	{ (uint32_t)PAGEMAP_SCAN_REQUEST, MAIN | WORKER }, /* which pages there are */
	{ (uint32_t)KVM_GET_CLOCK, MAIN },
	{ (uint32_t)KVM_GET_MP_STATE, MAIN },
	{ (uint32_t)KVM_GET_XSAVE, MAIN },
	{ (uint32_t)KVM_GET_XCRS, MAIN },
	{ (uint32_t)KVM_GET_DEBUGREGS, MAIN },
	{ (uint32_t)KVM_GET_LAPIC, MAIN },
	{ (uint32_t)KVM_GET_VCPU_EVENTS, MAIN },
	{ (uint32_t)KVM_GET_MSRS, MAIN },
	{ (uint32_t)KVM_GET_TSC_KHZ, MAIN },
	{ (uint32_t)KVM_SET_CLOCK, MAIN }, /* rollback, as all below */
	{ (uint32_t)KVM_SET_MP_STATE, MAIN },
	{ (uint32_t)KVM_SET_REGS, MAIN },
	{ (uint32_t)KVM_SET_SREGS, MAIN },
	{ (uint32_t)KVM_SET_XSAVE, MAIN },
	{ (uint32_t)KVM_SET_XCRS, MAIN },
	{ (uint32_t)KVM_SET_DEBUGREGS, MAIN },
	{ (uint32_t)KVM_SET_LAPIC, MAIN },
	{ (uint32_t)KVM_SET_VCPU_EVENTS, MAIN },
	{ (uint32_t)KVM_SET_MSRS, MAIN },
};

static bool disabled;

/* --- the filter */

static void add_ioctl(struct filter *f, enum seal_kind kind)
{
	unsigned n = 0;

	for (size_t i = 0; i < ARRAY_LEN(ioctls); i++)
		n += (ioctls[i].kinds & 1u << kind) != 0;
	if (!n)
		return;
	filter_if(f, SYS_ioctl, (uint8_t)(2 + 2 * n));
	filter_load_arg(f, 1);
	for (size_t i = 0; i < ARRAY_LEN(ioctls); i++)
		if (ioctls[i].kinds & 1u << kind)
			filter_allow(f, ioctls[i].request);
	filter_kill(f);
}

/* Only the main thread, only to threads of this process, only the kick. */
static void add_tgkill(struct filter *f, enum seal_kind kind)
{
	if (kind != SEAL_MAIN)
		return;
	filter_if(f, SYS_tgkill, 6);
	filter_load_arg(f, 0);
	filter_if(f, (uint32_t)getpid(), 3);
	filter_load_arg(f, 2);
	filter_allow(f, SIGUSR1);
	filter_kill(f);
}

int seal_thread(enum seal_kind kind)
{
	struct filter f;
	int r;

	if (disabled)
		return 0;
	filter_begin(&f);
	add_ioctl(&f, kind);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		if (calls[i].kinds & 1u << kind)
			filter_allow(&f, (uint32_t)calls[i].nr);
	add_tgkill(&f, kind);
	filter_kill(&f);
	r = filter_enter(&f);
	if (r < 0)
		errno = -r;
	return r < 0 ? -1 : 0;
}

size_t seal_list(enum seal_kind kind, int *ret, size_t max)
{
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_LEN(calls) && n < max; i++)
		if (calls[i].kinds & 1u << kind)
			ret[n++] = calls[i].nr;
	if (n < max)
		ret[n++] = SYS_ioctl;
	if (kind == SEAL_MAIN && n < max)
		ret[n++] = SYS_tgkill;
	return n;
}

void seal_disable(void)
{
	disabled = true;
}

/* vcpu.c - one virtual processor: a thread that enters the guest and answers what brings it out again */
#include <errno.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "vmm/arch.h"
#include "vmm/machine_int.h"
#include "vmm/seal.h"

int vcpu_make(struct machine *m, struct vcpu *v, unsigned index, int run_bytes)
{
	*v = (struct vcpu){ .machine = m, .index = index };
	v->fd = ioctl(m->vm_fd, KVM_CREATE_VCPU, index);
	if (v->fd < 0)
		return -errno;
	v->run = mmap(NULL, (size_t)run_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, v->fd, 0);
	return v->run == MAP_FAILED ? -errno : 0;
}

/* --- exits, by reason */

static void on_io(struct vcpu *v)
{
	struct kvm_run *run = v->run;
	uint8_t *data = (uint8_t *)run + run->io.data_offset;

	for (uint32_t i = 0; i < run->io.count; i++, data += run->io.size)
		bus_io(v->machine, run->io.port, run->io.direction == KVM_EXIT_IO_OUT, data, run->io.size);
}

static void on_mmio(struct vcpu *v)
{
	struct kvm_run *run = v->run;

	bus_mmio(v->machine, run->mmio.phys_addr, run->mmio.is_write, run->mmio.data, run->mmio.len);
}

static void on_shutdown(struct vcpu *v)
{
	machine_end(v->machine, END_TRIPLE_FAULT);
}

static void on_system_event(struct vcpu *v)
{
	static const enum machine_end ends[] = {
		[KVM_SYSTEM_EVENT_SHUTDOWN] = END_POWER_OFF,
		[KVM_SYSTEM_EVENT_RESET] = END_REBOOT,
		[KVM_SYSTEM_EVENT_CRASH] = END_PANIC,
	};
	uint32_t type = v->run->system_event.type;

	if (type >= KVM_SYSTEM_EVENT_SHUTDOWN && type < ARRAY_LEN(ends))
		machine_end(v->machine, ends[type]);
}

static void on_internal_error(struct vcpu *v)
{
	char where[128];

	arch_describe(v->fd, where, sizeof(where));
	machine_fail(v->machine, "vcpu %u: KVM internal error %u at %s", v->index, v->run->internal.suberror,
		     where);
}

static void on_fail_entry(struct vcpu *v)
{
	char where[128];

	arch_describe(v->fd, where, sizeof(where));
	machine_fail(v->machine, "vcpu %u: the processor refuses to enter the guest, reason 0x%llx, at %s",
		     v->index, v->run->fail_entry.hardware_entry_failure_reason, where);
}

/* KVM asks to be entered again, or tells what needs no answer from us. */
static void on_nothing(struct vcpu *v)
{
}

static void (*const exit_handlers[EXIT_REASONS])(struct vcpu *v) = {
	[KVM_EXIT_IO] = on_io,
	[KVM_EXIT_MMIO] = on_mmio,
	[KVM_EXIT_HLT] = on_nothing,
	[KVM_EXIT_IRQ_WINDOW_OPEN] = on_nothing,
	[KVM_EXIT_SHUTDOWN] = on_shutdown,
	[KVM_EXIT_FAIL_ENTRY] = on_fail_entry,
	[KVM_EXIT_INTR] = on_nothing,
	[KVM_EXIT_SYSTEM_EVENT] = on_system_event,
	[KVM_EXIT_INTERNAL_ERROR] = on_internal_error,
	[KVM_EXIT_IOAPIC_EOI] = on_nothing,
};

static void handle_exit(struct vcpu *v)
{
	uint32_t reason = v->run->exit_reason;

	if (reason >= EXIT_REASONS || !exit_handlers[reason]) {
		machine_fail(v->machine, "vcpu %u: unexpected exit %u from KVM", v->index, reason);
		reason = 0;
	} else {
		exit_handlers[reason](v);
	}
	__atomic_fetch_add(&v->exits[reason], 1, __ATOMIC_RELAXED);
}

/* --- running */

/* What the last exit has begun (the value of a read, the step to the next instruction) KVM completes at the next entry:
 * here without the guest, so that its registers can be saved. */
static void complete(struct vcpu *v)
{
	__atomic_store_n(&v->run->immediate_exit, 1, __ATOMIC_SEQ_CST);
	while (ioctl(v->fd, KVM_RUN, 0) == 0)
		handle_exit(v); /* an access in several pieces */
	__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
}

/* Waits while the machine is paused; false: it has ended. */
static bool may_run(struct vcpu *v)
{
	struct machine *m = v->machine;
	enum machine_wish wish = __atomic_load_n(&m->wish, __ATOMIC_ACQUIRE);
	bool run;

	if (wish == WISH_RUN)
		return true;
	if (wish == WISH_PAUSE)
		complete(v);
	pthread_mutex_lock(&m->lock);
	m->parked++;
	pthread_cond_broadcast(&m->changed);
	while (m->wish == WISH_PAUSE)
		pthread_cond_wait(&m->changed, &m->lock);
	m->parked--;
	pthread_cond_broadcast(&m->changed);
	run = m->wish == WISH_RUN;
	pthread_mutex_unlock(&m->lock);
	return run;
}

static void run(struct vcpu *v)
{
	while (may_run(v)) {
		if (ioctl(v->fd, KVM_RUN, 0) == 0) {
			handle_exit(v);
			continue;
		}
		__atomic_store_n(&v->run->immediate_exit, 0, __ATOMIC_SEQ_CST);
		if (errno != EINTR && errno != EAGAIN)
			machine_fail(v->machine, "vcpu %u: KVM_RUN: %m", v->index);
	}
}

void *vcpu_thread(void *vcpu)
{
	struct vcpu *v = vcpu;
	char name[16];

	snprintf(name, sizeof(name), "vcpu%u", v->index);
	prctl(PR_SET_NAME, name);
	__atomic_store_n(&v->tid, (int)syscall(SYS_gettid), __ATOMIC_SEQ_CST);
	if (seal_thread(SEAL_VCPU) < 0)
		machine_fail(v->machine, "vcpu %u: seccomp: %m", v->index);
	machine_thread_ready(v->machine);
	run(v);
	machine_thread_rest(v->machine);
}

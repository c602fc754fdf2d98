/* machine.h - one virtual machine: vcpus, memory, interrupts, devices; made once, run to its end
 *
 * Threads: the main one (machine_run: control, and the devices that are seldom busy), one for each busy device (disks,
 * networks: struct worker), one a vcpu.  All of them exist, and are sealed (vmm/seal.h), before the first instruction
 * of the guest.
 *
 * A vcpu runs while `wish` says RUN; to change it, machine_wish sets it and kicks all vcpus out of the guest.
 */
#ifndef VMM_MACHINE_H
#define VMM_MACHINE_H

#include <linux/kvm.h>

#include "base/err.h"
#include "vmm/ioapic.h"
#include "vmm/power.h"
#include "vmm/serial.h"

#define MAX_WORKERS  (VIRTIO_MAX + 2)
#define EXIT_REASONS 40 /* KVM_EXIT_*: those above count as 0, unknown */
#define STACK_BYTES  (128 << 10) /* of a thread; a chain of buffers takes 4 KiB */
#define SIGNAL_KICK  SIGUSR1

enum machine_wish { WISH_RUN, WISH_PAUSE, WISH_END };

struct machine;

struct vcpu {
	struct machine *machine;
	unsigned index;
	int fd;
	struct kvm_run *run;
	pthread_t thread;
	int tid; /* 0 until it runs */
	uint64_t exits[EXIT_REASONS]; /* by reason; relaxed atomics */
};

/* A thread that serves devices: a loop of its own. */
struct worker {
	struct machine *machine;
	struct loop *loop;
	pthread_t thread;
};

struct machine {
	int kvm_fd, vm_fd; /* kvm_fd -1: closed, the machine is made */
	struct arch_features
		*features; /* asked once: each CPUID costs an exit where this host is a guest itself */
	struct ram ram;
	struct vcpu vcpus[MAX_VCPUS];
	unsigned n_vcpus;
	struct worker workers[MAX_WORKERS];
	unsigned n_workers;
	struct virtio_dev
		*devices[VIRTIO_MAX]; /* device i: VIRTIO_BASE + i * VIRTIO_STRIDE, line GSI_VIRTIO + i */
	unsigned n_devices;
	uint8_t *registers; /* VIRTIO_STRIDE for each of them, which the guest reads without an exit */
	int ack_fd; /* an eventfd that nobody reads: acknowledgements that change nothing */
	struct ioapic ioapic;
	struct serial serial;
	struct power power;
	uint64_t generation_id_gpa; /* where the guest reads it */
	struct loop *loop; /* of the main thread */
	struct watch ended; /* an eventfd: a vcpu has set `end` */

	pthread_mutex_t lock; /* of what follows */
	pthread_cond_t changed;
	enum machine_wish wish; /* atomic: read without the lock by a vcpu that runs */
	unsigned parked; /* vcpus outside the guest */
	unsigned ready; /* threads that are sealed */
	bool go; /* all are */
	enum machine_end end;
	struct err why; /* with END_ERROR */
};

/* Makes VM, memory (m->ram is there), interrupt controller and vcpus, in the order that is fastest.  0 or -errno. */
int machine_make(struct machine *m, int kvm_fd, unsigned n_vcpus, int serial_fd, struct err *e);
/* A loop with a thread of its own for a busy device.  NULL with errno. */
struct loop *machine_worker(struct machine *m);
/* Puts a device that was made on one of the machine's loops onto the bus.  0 or -errno. */
int machine_add(struct machine *m, struct virtio_dev *d);
/* Starts all threads; returns when each of them is sealed and the main one may be.  0 or -errno. */
int machine_start_threads(struct machine *m, struct err *e);
/* Lets the vcpus go and serves the main loop to the end of the machine, which is returned. */
enum machine_end machine_run(struct machine *m);

/* --- while it runs */

/* WISH_RUN, WISH_PAUSE: on return all vcpus are in, or out.  From the main thread. */
void machine_wish(struct machine *m, enum machine_wish wish);
/* The first one to say so wins; from any thread. */
void machine_end(struct machine *m, enum machine_end end);
/* END_ERROR with a sentence. */
void machine_fail(struct machine *m, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif

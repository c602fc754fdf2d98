/* machine.c - a virtual machine is made: memory before the interrupt controller, vcpus last */
#include "vmm/machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "vmm/arch.h"
#include "vmm/machine_int.h"
#include "vmm/memory.h"

/* --- the end */

void machine_end(struct machine *m, enum machine_end end)
{
	const uint64_t one = 1;

	pthread_mutex_lock(&m->lock);
	if (m->end == END_NONE)
		m->end = end;
	__atomic_store_n(&m->wish, WISH_END, __ATOMIC_RELEASE);
	pthread_cond_broadcast(&m->changed);
	pthread_mutex_unlock(&m->lock);
	if (write(m->ended.fd, &one, sizeof(one)) < 0)
		return; /* it is signalled already */
}

void machine_fail(struct machine *m, const char *fmt, ...)
{
	char text[sizeof(m->why.msg)];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	pthread_mutex_lock(&m->lock);
	if (m->end == END_NONE)
		err_set(&m->why, EIO, "%s", text);
	pthread_mutex_unlock(&m->lock);
	machine_end(m, END_ERROR);
}

static void on_ended(void *arg, uint32_t events)
{
	struct machine *m = arg;

	loop_stop(m->loop);
}

/* --- making */

static int make_loop(struct machine *m)
{
	int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	m->ended = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_ended, .arg = m };
	m->loop = loop_new();
	return m->loop ? loop_add(m->loop, &m->ended) : -errno;
}

static int make_vcpus(struct machine *m, unsigned n)
{
	struct arch_features *f = arch_features_get(m->kvm_fd);
	int r = 0, run_bytes = ioctl(m->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (!f || run_bytes < 0)
		r = -errno;
	for (unsigned i = 0; i < n && r == 0; i++) {
		r = vcpu_make(m, &m->vcpus[i], i, run_bytes);
		if (r == 0)
			r = arch_vcpu(f, m->vcpus[i].fd, i, n);
		m->n_vcpus = i + 1;
	}
	arch_features_free(f);
	return r;
}

static int make_kvm(struct machine *m, unsigned n_vcpus)
{
	int r;

	if (ioctl(m->kvm_fd, KVM_GET_API_VERSION, 0) != KVM_API_VERSION)
		return -EPROTO;
	m->vm_fd = ioctl(m->kvm_fd, KVM_CREATE_VM, 0);
	if (m->vm_fd < 0)
		return -errno;
	r = arch_vm(m->kvm_fd, m->vm_fd);
	if (r == 0)
		r = memory_give(&m->ram, m->vm_fd);
	if (r == 0)
		r = arch_irqchip(m->vm_fd);
	return r < 0 ? r : make_vcpus(m, n_vcpus);
}

/* The lines of what every machine has. */
static int connect_lines(struct machine *m)
{
	int r;

	ioapic_init(&m->ioapic, m->vm_fd);
	r = ioapic_connect(&m->ioapic, m->serial.irq_fd, GSI_SERIAL);
	return r < 0 ? r : ioapic_connect(&m->ioapic, m->power.irq_fd, GSI_GED);
}

int machine_make(struct machine *m, int kvm_fd, unsigned n_vcpus, int serial_fd, struct err *e)
{
	int r;

	if (!n_vcpus || n_vcpus > MAX_VCPUS)
		return err_set(e, EINVAL, "%u vcpus; a machine has 1 to %d", n_vcpus, MAX_VCPUS);
	m->kvm_fd = kvm_fd;
	m->end = END_NONE;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	r = make_loop(m);
	if (r == 0)
		r = serial_init(&m->serial, serial_fd);
	if (r == 0)
		r = power_init(&m->power);
	if (r == 0)
		r = make_kvm(m, n_vcpus);
	if (r == 0)
		r = connect_lines(m);
	return r < 0 ? err_sys(e, -r, "KVM does not make a machine") : 0;
}

/* --- devices */

struct loop *machine_worker(struct machine *m)
{
	struct worker *w = &m->workers[m->n_workers];

	if (m->n_workers == MAX_WORKERS) {
		errno = ENOSPC;
		return NULL;
	}
	w->machine = m;
	w->loop = loop_new();
	m->n_workers += w->loop != NULL;
	return w->loop;
}

/* A write to QueueNotify never leaves the kernel: it signals the queue's eventfd. */
static int connect_queues(struct machine *m, struct virtio_dev *d, uint64_t base)
{
	for (unsigned i = 0; i < d->n_queues; i++) {
		struct kvm_ioeventfd io = {
			.addr = base + VIRTIO_MMIO_NOTIFY,
			.len = 4,
			.datamatch = i,
			.fd = d->kick_fds[i],
			.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
		};

		if (ioctl(m->vm_fd, KVM_IOEVENTFD, &io) < 0)
			return -errno;
	}
	return 0;
}

int machine_add(struct machine *m, struct virtio_dev *d)
{
	unsigned i = m->n_devices;
	int r;

	if (i == VIRTIO_MAX)
		return -ENOSPC;
	r = connect_queues(m, d, VIRTIO_BASE + i * VIRTIO_STRIDE);
	if (r == 0)
		r = ioapic_connect(&m->ioapic, d->irq_fd, GSI_VIRTIO + i);
	if (r == 0)
		m->devices[m->n_devices++] = d;
	return r;
}

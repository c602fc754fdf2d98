/* machine.c - a virtual machine is made: memory before the interrupt controller, vcpus last */
#include "vmm/machine.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
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
	int r = 0, run_bytes = ioctl(m->kvm_fd, KVM_GET_VCPU_MMAP_SIZE, 0);

	if (run_bytes < 0)
		return -errno;
	m->features = arch_features_get(m->kvm_fd);
	if (!m->features)
		return -errno;
	for (unsigned i = 0; i < n && r == 0; i++) {
		r = vcpu_make(m, &m->vcpus[i], i, run_bytes);
		if (r == 0)
			r = arch_vcpu(m->features, m->vcpus[i].fd, i, n);
		m->n_vcpus = i + 1;
	}
	return r;
}

/* The guest reads registers of devices without an exit where this KVM can do that; else bus.c answers.  A page that no
 * device has is never touched and reads as zeroes. */
static int make_registers(struct machine *m)
{
	const size_t bytes = VIRTIO_MAX * VIRTIO_STRIDE;

	m->registers = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	m->ack_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (m->registers == MAP_FAILED || m->ack_fd < 0)
		return -errno;
	if (ioctl(m->kvm_fd, KVM_CHECK_EXTENSION, KVM_CAP_READONLY_MEM) > 0)
		memory_show(m->registers, bytes, VIRTIO_BASE, m->vm_fd);
	return 0;
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
		r = make_registers(m);
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

/* Writing `value` to a register never leaves the kernel: it signals an eventfd. */
static int connect_write(struct machine *m, uint64_t gpa, uint32_t value, int fd)
{
	struct kvm_ioeventfd io = {
		.addr = gpa,
		.len = sizeof(value),
		.datamatch = value,
		.fd = fd,
		.flags = KVM_IOEVENTFD_FLAG_DATAMATCH,
	};

	return ioctl(m->vm_fd, KVM_IOEVENTFD, &io) < 0 ? -errno : 0;
}

/* Kicks, and the acknowledgement of used buffers, which we need not know: lines are edge-triggered and of one device
 * each, so that InterruptStatus may go on saying "used buffers" (section 4.2.2 has no more than "was asserted because");
 * a driver looks into its rings and finds some or none.  What else is acknowledged comes to us, as an exit. */
static int connect_writes(struct machine *m, struct virtio_dev *d, uint64_t base)
{
	int r = connect_write(m, base + VIRTIO_MMIO_ACK, VIRTIO_ACK_QUEUE, m->ack_fd);

	for (unsigned i = 0; i < d->n_queues && r == 0; i++)
		r = connect_write(m, base + VIRTIO_MMIO_NOTIFY, i, d->kick_fds[i]);
	return r;
}

int machine_add(struct machine *m, struct virtio_dev *d)
{
	unsigned i = m->n_devices;
	int r;

	if (i == VIRTIO_MAX)
		return -ENOSPC;
	virtio_show_at(d, (uint32_t *)(m->registers + i * VIRTIO_STRIDE));
	r = connect_writes(m, d, VIRTIO_BASE + i * VIRTIO_STRIDE);
	if (r == 0)
		r = ioapic_connect(&m->ioapic, d->irq_fd, GSI_VIRTIO + i);
	if (r == 0)
		m->devices[m->n_devices++] = d;
	return r;
}

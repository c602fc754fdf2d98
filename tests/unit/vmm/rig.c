/* rig.c - a machine without KVM: its registers, without vcpus */
#include "rig.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

void machine_rig_init(struct machine *m, int serial_fd)
{
	m->kvm_fd = m->vm_fd = -1;
	m->end = END_NONE;
	pthread_mutex_init(&m->lock, NULL);
	pthread_cond_init(&m->changed, NULL);
	m->loop = loop_new();
	m->registers = calloc(VIRTIO_MAX, VIRTIO_STRIDE);
	m->ended.fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (!m->loop || !m->registers || m->ended.fd < 0 || serial_init(&m->serial, serial_fd) < 0 ||
	    power_init(&m->power) < 0)
		abort();
	ioapic_init(&m->ioapic, -1);
}

void machine_rig_done(struct machine *m)
{
	serial_done(&m->serial);
	power_done(&m->power);
	close(m->ended.fd);
	loop_free(m->loop);
	free(m->registers);
}

/* bus.c - which device an access of a vcpu goes to; what nobody answers reads as all ones */
#include <string.h>

#include "vmm/machine_int.h"

static bool is_power_port(uint16_t port)
{
	return port == PORT_I8042_DATA || port == PORT_I8042 || port == PORT_PVPANIC ||
	       (port >= PORT_SLEEP && port < PORT_GED + 4);
}

static void serial_io(struct serial *s, unsigned port, bool write, uint8_t *data, unsigned len)
{
	if (!write)
		memset(data, 0xff, len);
	/* a wide access is one to the ports behind it, as on the ISA bus */
	for (unsigned i = 0; i < len && port + i < SERIAL_PORTS; i++) {
		if (write)
			serial_write(s, port + i, data[i]);
		else
			data[i] = serial_read(s, port + i);
	}
}

static void power_io(struct machine *m, uint16_t port, bool write, void *data, unsigned len)
{
	enum machine_end end;
	uint32_t v = 0;

	if (!write) {
		v = power_in(&m->power, port);
		memcpy(data, &v, len);
		return;
	}
	memcpy(&v, data, len);
	end = power_out(port, v);
	if (end != END_NONE)
		machine_end(m, end);
}

void bus_io(struct machine *m, uint16_t port, bool write, void *data, unsigned len)
{
	if (len > 4)
		return;
	if (port >= PORT_SERIAL && port < PORT_SERIAL + SERIAL_PORTS)
		serial_io(&m->serial, port - PORT_SERIAL, write, data, len);
	else if (is_power_port(port))
		power_io(m, port, write, data, len);
	else if (!write)
		memset(data, 0xff, len);
}

static void ioapic_mmio(struct ioapic *a, uint32_t offset, bool write, void *data, unsigned len)
{
	uint32_t v = 0;

	if (write && len == 4) {
		memcpy(&v, data, len);
		ioapic_write(a, offset, v);
	} else if (!write) {
		memset(data, 0, len);
		v = len == 4 ? ioapic_read(a, offset) : 0;
		memcpy(data, &v, len < 4 ? len : 4);
	}
}

void bus_mmio(struct machine *m, uint64_t gpa, bool write, void *data, unsigned len)
{
	uint64_t at = gpa - VIRTIO_BASE, device = at / VIRTIO_STRIDE;
	uint32_t offset = (uint32_t)(at % VIRTIO_STRIDE);

	if (len > 8)
		return;
	if (device < m->n_devices && offset < VIRTIO_MMIO_BYTES) {
		if (write)
			virtio_mmio_write(m->devices[device], offset, data, len);
		else
			virtio_mmio_read(m->devices[device], offset, data, len);
	} else if (gpa >= IOAPIC_BASE && gpa < IOAPIC_BASE + IOAPIC_BYTES) {
		ioapic_mmio(&m->ioapic, (uint32_t)(gpa - IOAPIC_BASE), write, data, len);
	} else if (!write) {
		memset(data, 0xff, len);
	}
}

/* dsdt.c - the devices of a machine of ours, as AML */
#include "vmm/dsdt.h"

#include "vmm/layout.h"

#define STA_PRESENT    0xf /* present, enabled, shown, working */
#define NOTIFY_PRESSED 0x80 /* power button: section 4.8.3.1.1 */
#define NOTIFY_CHANGED 0x80 /* Microsoft, "Virtual Machine Generation ID" */
#define SERIAL_PORTS   8
#define POWER_BUTTON   "PWRB"
#define GENERATION     "VGEN"
#define GED_REGION     "EVTR"
#define GED_EVENTS     "EVTS"

static void add_virtio(struct aml *a, unsigned i)
{
	const char name[] = { 'V', 'R', (char)('0' + i / 10), (char)('0' + i % 10), '\0' };
	size_t device = aml_begin_device(a, name), resources;

	aml_name_string(a, "_HID", "LNRO0005");
	aml_name_integer(a, "_UID", i);
	resources = aml_begin_resources(a);
	aml_memory32(a, (uint32_t)(VIRTIO_BASE + i * VIRTIO_STRIDE), VIRTIO_STRIDE);
	aml_interrupt(a, GSI_VIRTIO + i);
	aml_end_resources(a, resources);
	aml_end(a, device);
}

static void add_serial(struct aml *a)
{
	size_t device = aml_begin_device(a, "COM1"), resources;

	aml_name_string(a, "_HID", "PNP0501");
	aml_name_integer(a, "_UID", 0);
	resources = aml_begin_resources(a);
	aml_io(a, PORT_SERIAL, SERIAL_PORTS);
	aml_interrupt(a, GSI_SERIAL);
	aml_end_resources(a, resources);
	aml_end(a, device);
}

static void add_pvpanic(struct aml *a)
{
	size_t device = aml_begin_device(a, "PEVT"), resources;

	aml_name_string(a, "_HID", "QEMU0001");
	aml_name_integer(a, "_STA", STA_PRESENT);
	resources = aml_begin_resources(a);
	aml_io(a, PORT_PVPANIC, 1);
	aml_end_resources(a, resources);
	aml_end(a, device);
}

static void add_power_button(struct aml *a)
{
	size_t device = aml_begin_device(a, POWER_BUTTON);

	aml_name_string(a, "_HID", "PNP0C0C");
	aml_end(a, device);
}

static void add_generation(struct aml *a, uint64_t gpa)
{
	const uint64_t address[] = { gpa & UINT32_MAX, gpa >> 32 };
	size_t device = aml_begin_device(a, GENERATION);

	/* drivers go by the _CID; iasl wants digits at the end of a _HID */
	aml_name_string(a, "_HID", "KTCH0001");
	aml_name_string(a, "_CID", "VM_Gen_Counter");
	aml_name_string(a, "_DDN", "VM_Gen_Counter");
	aml_name_package(a, "ADDR", address, 2);
	aml_end(a, device);
}

/* The generic event device, section 5.6.9: one line; what happened is read at a port. */
static void add_events(struct aml *a)
{
	static const struct {
		uint32_t bit;
		const char *device;
		uint8_t value;
	} events[] = {
		{ GED_POWER_BUTTON, POWER_BUTTON, NOTIFY_PRESSED },
		{ GED_NEW_GENERATION, GENERATION, NOTIFY_CHANGED },
	};
	size_t device = aml_begin_device(a, "GED_"), method, at;

	aml_name_string(a, "_HID", "ACPI0013");
	aml_name_integer(a, "_UID", 0);
	at = aml_begin_resources(a);
	aml_interrupt(a, GSI_GED);
	aml_end_resources(a, at);
	aml_port32(a, GED_REGION, GED_EVENTS, PORT_GED);
	method = aml_begin_method(a, "_EVT", 1);
	aml_store_local0(a, GED_EVENTS);
	for (size_t i = 0; i < sizeof(events) / sizeof(events[0]); i++) {
		at = aml_begin_if_local0(a, events[i].bit);
		aml_notify(a, events[i].device, events[i].value);
		aml_end(a, at);
	}
	aml_end(a, method);
	aml_end(a, device);
}

void dsdt_write(struct aml *a, const struct acpi_machine *m, uint64_t generation_id_gpa)
{
	const uint64_t s5[] = { SLEEP_TYPE_S5 };
	size_t bus;

	aml_name_package(a, "_S5_", s5, 1);
	bus = aml_begin_system_bus(a);
	for (unsigned i = 0; i < m->n_virtio; i++)
		add_virtio(a, i);
	if (m->serial)
		add_serial(a);
	add_pvpanic(a);
	add_power_button(a);
	add_generation(a, generation_id_gpa);
	add_events(a);
	aml_end(a, bus);
}

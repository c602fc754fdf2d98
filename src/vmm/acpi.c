/* acpi.c - what the guest's kernel is told of its machine: the tables, one behind the other from ACPI_BASE
 *
 * RSDP, generation ID, DSDT, FADT, MADT, XSDT; section numbers are those of ACPI 6.5.
 */
#include "vmm/acpi.h"

#include <errno.h>
#include <string.h>

#include "vmm/aml.h"
#include "vmm/dsdt.h"
#include "vmm/layout.h"

#define ALIGNMENT     16
#define HEADER_BYTES  36 /* section 5.2.6 */
#define HEADER_LENGTH 4 /* where the length of a table is, and its checksum */
#define HEADER_SUM    9
#define OEM_ID	      "KETCH "
#define OEM_TABLE     "KETCHVMM"
#define CREATOR	      "KTCH"

/* RSDP, section 5.2.5.3 */
#define RSDP_SUM       8 /* over RSDP_V1_BYTES */
#define RSDP_V1_BYTES  20
#define RSDP_SUM_WHOLE 32
#define RSDP_BYTES     36
#define RSDP_REVISION  2

#define GENERATION_BYTES 16

/* Offsets in the FADT, section 5.2.9; all that is not here is 0. */
enum {
	FADT_DSDT = 40,
	FADT_BOOT_ARCH = 109,
	FADT_FLAGS = 112,
	FADT_RESET_REG = 116,
	FADT_RESET_VALUE = 128,
	FADT_MINOR = 131,
	FADT_X_DSDT = 140,
	FADT_SLEEP_CONTROL = 244,
	FADT_SLEEP_STATUS = 256,
	FADT_BYTES = 276
};

#define FADT_REVISION 6
#define FADT_MINOR_5  5
/* No ISA devices, no keyboard controller to look for; no VGA, no CMOS clock. */
#define BOOT_ARCH (1u << 2 | 1u << 5)
/* WBINVD; power and sleep button are not in fixed registers; reset register; hardware-reduced. */
#define FLAGS (1u << 0 | 1u << 4 | 1u << 5 | 1u << 10 | 1u << 20)
/* Generic address structure, section 5.2.3.2: I/O space, 8 bits, access by bytes */
#define GAS_IO	  1
#define GAS_BITS  8
#define GAS_BYTES 1

#define MADT_REVISION 5
#define MADT_LAPIC    0
#define MADT_IOAPIC   1
#define LAPIC_ENABLED 1
#define DSDT_REVISION 2 /* integers have 64 bits */
#define XSDT_REVISION 1

static uint8_t checksum(const uint8_t *p, size_t n)
{
	uint8_t sum = 0;

	while (n--)
		sum = (uint8_t)(sum + *p++);
	return (uint8_t)-sum;
}

static uint64_t here(const struct aml *a)
{
	return ACPI_BASE + a->n;
}

static void put_zeros(struct aml *a, size_t n)
{
	static const uint8_t zeros[FADT_BYTES];

	aml_bytes(a, zeros, n);
}

static void put_u32_at(struct aml *a, size_t at, uint32_t v)
{
	if (!a->full)
		memcpy(a->data + at, &v, sizeof(v));
}

/* A header without length and checksum; returns where the table begins. */
static size_t begin_table(struct aml *a, const char *signature, uint8_t revision)
{
	size_t at;

	put_zeros(a, -a->n % ALIGNMENT);
	at = a->n;
	aml_bytes(a, signature, 4);
	aml_number(a, 0, 4);
	aml_number(a, revision, 1);
	aml_number(a, 0, 1);
	aml_bytes(a, OEM_ID, 6);
	aml_bytes(a, OEM_TABLE, 8);
	aml_number(a, 1, 4);
	aml_bytes(a, CREATOR, 4);
	aml_number(a, 1, 4);
	return at;
}

/* Returns its address. */
static uint64_t end_table(struct aml *a, size_t at)
{
	put_u32_at(a, at + HEADER_LENGTH, (uint32_t)(a->n - at));
	if (!a->full)
		a->data[at + HEADER_SUM] = checksum(a->data + at, a->n - at);
	return ACPI_BASE + at;
}

static uint64_t put_dsdt(struct aml *a, const struct acpi_machine *m, uint64_t generation_id_gpa)
{
	size_t at = begin_table(a, "DSDT", DSDT_REVISION);

	dsdt_write(a, m, generation_id_gpa);
	return end_table(a, at);
}

/* An 8-bit register at a port, as a generic address structure at `to`. */
static void set_port(uint8_t *to, uint16_t port)
{
	const uint64_t address = port;

	to[0] = GAS_IO;
	to[1] = GAS_BITS;
	to[3] = GAS_BYTES;
	memcpy(to + 4, &address, sizeof(address));
}

static uint64_t put_fadt(struct aml *a, uint64_t dsdt)
{
	size_t at = begin_table(a, "FACP", FADT_REVISION);
	uint8_t f[FADT_BYTES] = { 0 };
	const uint32_t dsdt32 = (uint32_t)dsdt, flags = FLAGS;

	memcpy(f + FADT_DSDT, &dsdt32, sizeof(dsdt32));
	memcpy(f + FADT_X_DSDT, &dsdt, sizeof(dsdt));
	memcpy(f + FADT_FLAGS, &flags, sizeof(flags));
	f[FADT_BOOT_ARCH] = BOOT_ARCH;
	f[FADT_RESET_VALUE] = RESET_VALUE;
	f[FADT_MINOR] = FADT_MINOR_5;
	set_port(f + FADT_RESET_REG, PORT_RESET);
	set_port(f + FADT_SLEEP_CONTROL, PORT_SLEEP);
	set_port(f + FADT_SLEEP_STATUS, PORT_SLEEP + 1);
	aml_bytes(a, f + HEADER_BYTES, FADT_BYTES - HEADER_BYTES);
	return end_table(a, at);
}

/* Section 5.2.12; vcpu i has the APIC ID i. */
static uint64_t put_madt(struct aml *a, unsigned n_vcpus)
{
	size_t at = begin_table(a, "APIC", MADT_REVISION);

	aml_number(a, LAPIC_BASE, 4);
	aml_number(a, 0, 4); /* no PIC */
	for (unsigned i = 0; i < n_vcpus; i++) {
		aml_number(a, MADT_LAPIC, 1);
		aml_number(a, 8, 1);
		aml_number(a, i, 1);
		aml_number(a, i, 1);
		aml_number(a, LAPIC_ENABLED, 4);
	}
	aml_number(a, MADT_IOAPIC, 1);
	aml_number(a, 12, 1);
	aml_number(a, 0, 2); /* its ID */
	aml_number(a, IOAPIC_BASE, 4);
	aml_number(a, 0, 4); /* its first line */
	return end_table(a, at);
}

static uint64_t put_xsdt(struct aml *a, uint64_t fadt, uint64_t madt)
{
	size_t at = begin_table(a, "XSDT", XSDT_REVISION);

	aml_number(a, fadt, 8);
	aml_number(a, madt, 8);
	return end_table(a, at);
}

static void set_rsdp(uint8_t *p, uint64_t xsdt)
{
	struct aml a = { .data = p, .max = RSDP_BYTES };

	aml_bytes(&a, "RSD PTR ", 8);
	aml_number(&a, 0, 1); /* RSDP_SUM */
	aml_bytes(&a, OEM_ID, 6);
	aml_number(&a, RSDP_REVISION, 1);
	aml_number(&a, 0, 4); /* no RSDT */
	aml_number(&a, RSDP_BYTES, 4);
	aml_number(&a, xsdt, 8);
	aml_number(&a, 0, 4); /* RSDP_SUM_WHOLE */
	p[RSDP_SUM] = checksum(p, RSDP_V1_BYTES);
	p[RSDP_SUM_WHOLE] = checksum(p, RSDP_BYTES);
}

int acpi_write(const struct acpi_machine *m, const struct ram *ram, struct acpi_places *ret, struct err *e)
{
	struct aml a = { .data = ram_at(ram, ACPI_BASE, ACPI_END - ACPI_BASE), .max = ACPI_END - ACPI_BASE };
	uint64_t generation, dsdt, fadt, madt, xsdt;

	if (!a.data)
		return err_set(e, ENOSPC, "the machine has less than 1 MiB of memory");
	put_zeros(&a, RSDP_BYTES); /* it comes first and is known last */
	put_zeros(&a, -a.n % ALIGNMENT);
	generation = here(&a);
	aml_bytes(&a, m->generation_id, GENERATION_BYTES);
	dsdt = put_dsdt(&a, m, generation);
	fadt = put_fadt(&a, dsdt);
	madt = put_madt(&a, m->n_vcpus);
	xsdt = put_xsdt(&a, fadt, madt);
	if (a.full || m->n_vcpus > MAX_VCPUS || m->n_virtio > VIRTIO_MAX)
		return err_set(e, ENOSPC, "the machine has more devices than its ACPI tables can tell");
	set_rsdp(a.data, xsdt);
	*ret = (struct acpi_places){ .rsdp_gpa = ACPI_BASE, .generation_id_gpa = generation };
	return 0;
}

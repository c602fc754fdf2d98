/* test_acpi.c - the ACPI tables: their chain, their sums, what they say, what iasl thinks of them */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "vmm/acpi.h"
#include "vmm/aml.h"
#include "vmm/layout.h"

#define RAM_BYTES (2u << 20)

struct machine {
	struct ram ram;
	struct acpi_places places;
};

static const struct acpi_machine full = {
	.n_vcpus = MAX_VCPUS,
	.n_virtio = VIRTIO_MAX,
	.serial = true,
	.generation_id = "0123456789abcde",
};

static void init(struct machine *m, const struct acpi_machine *what)
{
	*m = (struct machine){ .ram = { .n = 1, .fd = -1 } };
	m->ram.slots[0] = (struct ram_slot){ .bytes = RAM_BYTES, .host = calloc(1, RAM_BYTES) };
	assert_int_equal(acpi_write(what, &m->ram, &m->places, NULL), 0);
}

static void done(struct machine *m)
{
	free(m->ram.slots[0].host);
}

static uint32_t get32(const uint8_t *p)
{
	uint32_t v;

	memcpy(&v, p, 4);
	return v;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v;

	memcpy(&v, p, 8);
	return v;
}

static uint8_t sum(const uint8_t *p, size_t n)
{
	uint8_t s = 0;

	while (n--)
		s = (uint8_t)(s + *p++);
	return s;
}

/* A table at this address, whole and with the right sum; *ret_n its length. */
static const uint8_t *table(const struct machine *m, uint64_t gpa, const char *signature, uint32_t *ret_n)
{
	const uint8_t *p = m->ram.slots[0].host + gpa;

	assert_true(gpa > ACPI_BASE && gpa < ACPI_END && gpa % 16 == 0);
	assert_memory_equal(p, signature, 4);
	*ret_n = get32(p + 4);
	assert_true(*ret_n >= 36 && *ret_n <= ACPI_END - gpa);
	assert_int_equal(sum(p, *ret_n), 0);
	return p;
}

/* The table of the XSDT with this signature. */
static const uint8_t *find(const struct machine *m, const char *signature, uint32_t *ret_n)
{
	const uint8_t *rsdp = m->ram.slots[0].host + m->places.rsdp_gpa, *xsdt;
	uint32_t n;

	assert_memory_equal(rsdp, "RSD PTR ", 8);
	assert_int_equal(rsdp[15], 2);
	assert_int_equal(get32(rsdp + 20), 36);
	assert_int_equal(sum(rsdp, 20), 0);
	assert_int_equal(sum(rsdp, 36), 0);
	xsdt = table(m, get64(rsdp + 24), "XSDT", &n);
	for (uint32_t at = 36; at + 8 <= n; at += 8)
		if (!memcmp(m->ram.slots[0].host + get64(xsdt + at), signature, 4))
			return table(m, get64(xsdt + at), signature, ret_n);
	fail_msg("no table %s", signature);
	return NULL;
}

static void the_fixed_table_tells_of_reduced_hardware_reset_and_sleep(void **state)
{
	struct machine m;
	const uint8_t *f;
	uint32_t n;

	init(&m, &full);
	f = find(&m, "FACP", &n);
	assert_int_equal(n, 276);
	assert_int_equal(get32(f + 112) >> 20 & 1, 1); /* HW_REDUCED_ACPI */
	assert_int_equal(get32(f + 112) >> 10 & 1, 1); /* RESET_REG_SUP */
	assert_int_equal(f[109] & 2, 0); /* no 8042 to look for */
	assert_int_equal(f[116], 1); /* I/O space */
	assert_int_equal(f[117], 8);
	assert_int_equal(get64(f + 120), PORT_RESET);
	assert_int_equal(f[128], RESET_VALUE);
	assert_int_equal(get64(f + 248), PORT_SLEEP);
	assert_int_equal(get64(f + 260), PORT_SLEEP + 1);
	assert_int_equal(get64(f + 140), get32(f + 40));
	table(&m, get64(f + 140), "DSDT", &n);
	done(&m);
}

static void there_is_a_local_apic_for_each_vcpu_and_one_ioapic(void **state)
{
	for (unsigned n_vcpus = 1; n_vcpus <= MAX_VCPUS; n_vcpus++) {
		const struct acpi_machine what = { .n_vcpus = n_vcpus };
		unsigned lapics = 0, ioapics = 0;
		struct machine m;
		const uint8_t *p;
		uint32_t n;

		init(&m, &what);
		p = find(&m, "APIC", &n);
		assert_int_equal(get32(p + 36), LAPIC_BASE);
		assert_int_equal(get32(p + 40), 0); /* no PIC */
		for (uint32_t at = 44; at < n; at += p[at + 1]) {
			assert_true(p[at + 1] && p[at + 1] <= n - at);
			if (p[at] == 0) {
				assert_int_equal(p[at + 3], lapics++);
				assert_int_equal(get32(p + at + 4), 1);
			} else {
				assert_int_equal(p[at], 1);
				assert_int_equal(get32(p + at + 4), IOAPIC_BASE);
				assert_int_equal(get32(p + at + 8), 0);
				ioapics++;
			}
		}
		assert_int_equal(lapics, n_vcpus);
		assert_int_equal(ioapics, 1);
		done(&m);
	}
}

static void the_generation_id_is_where_it_is_said_to_be(void **state)
{
	struct machine m;
	const uint8_t *f, *dsdt;
	uint8_t address[] = { 0x0c, 0, 0, 0, 0, 0 /* high half: ZeroOp */ };
	uint32_t n, gpa;

	init(&m, &full);
	assert_int_equal(m.places.generation_id_gpa % 8, 0);
	assert_memory_equal(m.ram.slots[0].host + m.places.generation_id_gpa, full.generation_id, 16);
	gpa = (uint32_t)m.places.generation_id_gpa;
	memcpy(address + 1, &gpa, 4);
	f = find(&m, "FACP", &n);
	dsdt = table(&m, get64(f + 140), "DSDT", &n);
	assert_non_null(memmem(dsdt, n, address, sizeof(address)));
	done(&m);
}

static void more_than_there_is_room_for_is_refused(void **state)
{
	const struct acpi_machine vcpus = { .n_vcpus = MAX_VCPUS + 1 },
				  devices = { .n_vcpus = 1, .n_virtio = VIRTIO_MAX + 1 };
	struct ram small = { .slots = { { .bytes = ACPI_END - 1 } }, .n = 1, .fd = -1 };
	struct acpi_places places;
	struct machine m;
	struct err e;

	init(&m, &full);
	assert_int_equal(acpi_write(&vcpus, &m.ram, &places, &e), -ENOSPC);
	assert_int_equal(acpi_write(&devices, &m.ram, &places, &e), -ENOSPC);
	assert_int_equal(acpi_write(&full, &small, &places, &e), -ENOSPC);
	done(&m);
}

static void what_does_not_fit_is_left_out_and_told(void **state)
{
	for (size_t max = 0; max < 40; max++) {
		autofree uint8_t *room = malloc(max + !max);
		struct aml a = { .data = room, .max = max };
		size_t at = aml_begin_device(&a, "DEV0"), crs;

		crs = aml_begin_resources(&a);
		aml_interrupt(&a, 5);
		aml_end_resources(&a, crs);
		aml_end(&a, at);
		assert_int_equal(a.full, max < 32);
		assert_true(a.n <= max);
	}
}

/* --- iasl */

/* NAME.dat in dir: taken apart to NAME.dsl, put together to again.aml.  What iasl says last is in the file
 * log. */
static int there_and_back(const char *dir, const char *name)
{
	autofree char *line = str_printf(
		"cd %s && iasl -d %s.dat >log 2>&1 && iasl -we -p again %s.dsl >log 2>&1", dir, name, name);

	return system(line);
}

static void expect(const char *text, const char *what)
{
	if (!strstr(text, what))
		fail_msg("not in the disassembly: %s\n%s", what, text);
}

static void iasl_disassembles_and_compiles_them_again(void **state)
{
	static const char *const tables[] = { "FACP", "APIC", "DSDT" };
	static const char *const lines[] = {
		"Device (VR31)",
		"Name (_HID, \"LNRO0005\")",
		"Name (_UID, 0x1F)",
		"0xD001F000,         // Address Base",
		"0x0000002F,",
		"Interrupt (ResourceConsumer, Edge, ActiveHigh, Exclusive, ,, )",
		"Name (_HID, \"PNP0501\"",
		"Name (_HID, \"ACPI0013\"",
		"OperationRegion (EVTR, SystemIO, 0x0604, 0x04)",
		"Notify (PWRB, 0x80)",
		"Notify (VGEN, 0x80)",
		"Name (_S5, Package (0x01)",
	};
	char dir[] = "/tmp/ketch-test-XXXXXX";
	autofree char *dsl = NULL, *log = NULL;
	AUTO(buf_done) struct buf text = { 0 };
	struct machine m;

	if (system("command -v iasl >/dev/null") != 0) {
		print_message("skipped: no iasl (Debian: acpica-tools)\n");
		skip();
	}
	assert_non_null(mkdtemp(dir));
	dsl = str_printf("%s/DSDT.dsl", dir);
	log = str_printf("%s/log", dir);
	init(&m, &full);
	for (size_t i = 0; i < ARRAY_LEN(tables); i++) {
		autofree char *path = str_printf("%s/%s.dat", dir, tables[i]);
		const uint8_t *p;
		uint32_t n;

		if (i == 2)
			p = table(&m, get64(find(&m, "FACP", &n) + 140), "DSDT", &n);
		else
			p = find(&m, tables[i], &n);
		assert_int_equal(write_file_atomic(AT_FDCWD, path, 0644, p, n), 0);
		if (there_and_back(dir, tables[i]) != 0) {
			read_file(AT_FDCWD, log, 1 << 20, &text);
			fail_msg("%s: %s", dir, text.data);
		}
	}
	assert_int_equal(read_file(AT_FDCWD, dsl, 1 << 20, &text), 0);
	for (size_t i = 0; i < ARRAY_LEN(lines); i++)
		expect(text.data, lines[i]);
	remove_tree(AT_FDCWD, dir);
	done(&m);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_fixed_table_tells_of_reduced_hardware_reset_and_sleep),
		cmocka_unit_test(there_is_a_local_apic_for_each_vcpu_and_one_ioapic),
		cmocka_unit_test(the_generation_id_is_where_it_is_said_to_be),
		cmocka_unit_test(more_than_there_is_room_for_is_refused),
		cmocka_unit_test(what_does_not_fit_is_left_out_and_told),
		cmocka_unit_test(iasl_disassembles_and_compiles_them_again),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

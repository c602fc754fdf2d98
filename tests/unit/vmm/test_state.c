/* test_state.c - the saved form of a machine: what is written is read back, and nothing else is read at all */
#include "../cm.h"

#include <errno.h>
#include <string.h>

#include "base/sha256.h"
#include "vmm/layout.h"
#include "vmm/state.h"

#define FLIPS	100000
#define MUTANTS 20000

static struct machine_state in, out;
static uint8_t document[STATE_MAX], again[STATE_MAX];
static size_t n_document;

static uint32_t random32(void)
{
	static uint32_t state = 2463534242;

	state ^= state << 13;
	state ^= state >> 17;
	return state ^= state << 5;
}

static void fill(void *to, size_t n)
{
	uint8_t *at = to;

	for (size_t i = 0; i < n; i++)
		at[i] = (uint8_t)random32();
}

static void clear_bools(struct device_state *d)
{
	for (unsigned i = 0; i < VIRTIO_MAX_QUEUES; i++)
		memset(&d->u.rng.dev.queues[i].ready, i & 1, 1);
}

static void make(void)
{
	static const uint32_t ids[] = { 2, 19, 4, 5, 3, 1 };

	memset(&in, 0, sizeof(in));
	in.shape = (struct machine_shape){ .ram_bytes = 64 << 20,
					   .generation_id_gpa = ACPI_BASE + 64,
					   .n_vcpus = 2,
					   .n_devices = sizeof(ids) / sizeof(ids[0]) };
	for (unsigned i = 0; i < in.shape.n_vcpus; i++) {
		fill(&in.vcpus[i].fixed, sizeof(in.vcpus[i].fixed));
		in.vcpus[i].n_cpuid = 3;
		in.vcpus[i].n_msrs = 5 + i;
		fill(in.vcpus[i].cpuid, 3 * sizeof(in.vcpus[i].cpuid[0]));
		fill(in.vcpus[i].msrs, (5 + i) * sizeof(in.vcpus[i].msrs[0]));
	}
	fill(&in.ioapic, sizeof(in.ioapic));
	for (unsigned i = 0; i < in.shape.n_devices; i++) {
		in.devices[i].id = ids[i];
		fill(&in.devices[i].u.rng, sizeof(in.devices[i].u.rng));
		clear_bools(&in.devices[i]);
	}
}

static int set_up(void **state)
{
	make();
	n_document = (size_t)state_print(&in, document, sizeof(document));
	return (long)n_document > 0 ? 0 : -1;
}

static int parse(const uint8_t *bytes, size_t n)
{
	struct err e = { 0 };
	int r;

	memset(&out, 0, sizeof(out));
	r = state_parse(bytes, n, &out, &e);
	if (r < 0 && !e.msg[0])
		fail_msg("refused without a reason");
	return r;
}

static void what_is_printed_is_parsed(void **state)
{
	assert_int_equal(parse(document, n_document), 0);
	assert_memory_equal(&in, &out, sizeof(in));
	assert_int_equal(state_print(&out, again, sizeof(again)), n_document);
	assert_memory_equal(document, again, n_document);
}

static void each_truncation_is_refused(void **state)
{
	for (size_t n = 0; n < n_document; n += n < 64 ? 1 : 97)
		assert_true(parse(document, n) < 0);
	assert_true(parse(document, n_document - 1) < 0);
}

static void no_room_is_said(void **state)
{
	assert_int_equal(state_print(&in, again, n_document - 1), -ENOSPC);
	assert_int_equal(state_print(&in, again, 0), -ENOSPC);
}

static void a_hundred_thousand_bit_flips_are_refused(void **state)
{
	for (unsigned i = 0; i < FLIPS; i++) {
		size_t at = random32() % n_document;
		uint8_t bit = (uint8_t)(1 << random32() % 8);

		document[at] ^= bit;
		if (parse(document, n_document) == 0)
			fail_msg("bit 0x%x of byte %zu does not matter", bit, at);
		document[at] ^= bit;
	}
}

static void repair(uint8_t *bytes, size_t n)
{
	struct sha256 h;

	sha256_init(&h);
	sha256_add(&h, bytes, n - SHA256_BYTES);
	sha256_end(&h, bytes + n - SHA256_BYTES);
}

/* The head of each section is where lengths and counts are. */
static void mutants_with_a_right_checksum_do_no_harm(void **state)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < MUTANTS; i++) {
		size_t at = random32() % (n_document - SHA256_BYTES);

		memcpy(again, document, n_document);
		again[at] = (uint8_t)random32();
		if (random32() % 2)
			again[(at + random32() % 8) % (n_document - SHA256_BYTES)] = 0xff;
		repair(again, n_document);
		if (parse(again, n_document) < 0)
			continue;
		taken++;
		assert_in_range(out.shape.n_vcpus, 1, MAX_VCPUS);
		assert_in_range(out.shape.n_devices, 0, VIRTIO_MAX);
		assert_in_range(out.vcpus[0].n_msrs, 0, ARCH_MAX_MSRS);
	}
	assert_true(taken > 0);
}

static void another_version_is_named(void **state)
{
	struct err e = { 0 };

	memcpy(again, document, n_document);
	again[8] = STATE_VERSION + 1;
	repair(again, n_document);
	assert_int_equal(state_parse(again, n_document, &out, &e), -EPROTO);
	assert_non_null(strstr(e.msg, "version 2"));
}

static void a_bool_that_is_none_is_refused(void **state)
{
	memset(&in.devices[0].u.block.dev.queues[3].ready, 2, 1);
	n_document = (size_t)state_print(&in, document, sizeof(document));
	assert_true(parse(document, n_document) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(what_is_printed_is_parsed, set_up),
		cmocka_unit_test_setup(each_truncation_is_refused, set_up),
		cmocka_unit_test_setup(no_room_is_said, set_up),
		cmocka_unit_test_setup(a_hundred_thousand_bit_flips_are_refused, set_up),
		cmocka_unit_test_setup(mutants_with_a_right_checksum_do_no_harm, set_up),
		cmocka_unit_test_setup(another_version_is_named, set_up),
		cmocka_unit_test_setup(a_bool_that_is_none_is_refused, set_up),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_bus.c - accesses of a vcpu: serial port, power registers, interrupt controller, nobody */
#include "../cm.h"

#include <fcntl.h>
#include <unistd.h>

#include "rig.h"

static struct machine m;
static int out[2];

static int set_up(void **state)
{
	assert_int_equal(pipe2(out, O_CLOEXEC), 0); /* as a caller might make it */
	memset(&m, 0, sizeof(m));
	machine_rig_init(&m, out[1]);
	return 0;
}

static int tear_down(void **state)
{
	machine_rig_done(&m);
	close(out[0]);
	close(out[1]);
	return 0;
}

static uint32_t in(uint16_t port, unsigned len)
{
	uint32_t v = 0;

	bus_io(&m, port, false, &v, len);
	return v;
}

static void put(uint16_t port, uint32_t v, unsigned len)
{
	bus_io(&m, port, true, &v, len);
}

static uint64_t load(uint64_t gpa, unsigned len)
{
	uint64_t v = 0;

	bus_mmio(&m, gpa, false, &v, len);
	return v;
}

static void store(uint64_t gpa, uint64_t v, unsigned len)
{
	bus_mmio(&m, gpa, true, &v, len);
}

static bool signalled(int fd)
{
	uint64_t n;

	return read(fd, &n, sizeof(n)) == sizeof(n);
}

static void nobody_reads_as_all_ones(void **state)
{
	assert_int_equal(in(0xcf8, 4), 0xffffffff);
	assert_int_equal(in(0x70, 1), 0xff);
	assert_true(load(VIRTIO_BASE, 8) == UINT64_MAX);
	assert_true(load(UINT64_MAX - 7, 8) == UINT64_MAX);
	store(0, UINT64_MAX, 8);
	put(0xffff, 1, 1);
	assert_int_equal(m.end, END_NONE);
}

static void what_is_written_to_the_serial_port_comes_out(void **state)
{
	char text[8] = "", log[4];

	put(PORT_SERIAL, 'a', 1);
	put(PORT_SERIAL, 'b', 1);
	assert_int_equal(read(out[0], text, sizeof(text)), 2);
	assert_string_equal(text, "ab");
	assert_int_equal(serial_log(&m.serial, log, sizeof(log)), 2);
	/* an owner that does not read holds nobody up */
	alarm(20);
	for (unsigned i = 0; i < 200000; i++)
		put(PORT_SERIAL, 'x', 1);
	alarm(0);
	assert_int_equal(serial_log(&m.serial, log, sizeof(log)), 4);
}

/* Not what the guest, or anybody, had there before. */
static void a_wide_read_beyond_the_serial_port_finds_nothing(void **state)
{
	uint32_t v = 0x12345678;

	put(PORT_SERIAL + 7, 0x5a, 1);
	bus_io(&m, PORT_SERIAL + 7, false, &v, 4);
	assert_int_equal(v, 0xffffff5a);
}

static void the_serial_port_interrupts_when_it_is_empty(void **state)
{
	assert_int_equal(in(PORT_SERIAL + 2, 1), 0xc1);
	put(PORT_SERIAL + 1, 2, 1);
	assert_true(signalled(m.serial.irq_fd));
	assert_int_equal(in(PORT_SERIAL + 2, 1), 0xc2);
	assert_int_equal(in(PORT_SERIAL + 2, 1), 0xc1);
	put(PORT_SERIAL, 'c', 1);
	assert_true(signalled(m.serial.irq_fd));
	/* the divisor is no data */
	put(PORT_SERIAL + 3, 0x80, 1);
	put(PORT_SERIAL, 1, 1);
	assert_int_equal(in(PORT_SERIAL, 1), 1);
	assert_int_equal(m.serial.written, 1);
}

static void each_way_to_end_is_told_apart(void **state)
{
	static const struct {
		uint16_t port;
		uint32_t v;
		enum machine_end end;
	} ways[] = {
		{ PORT_SLEEP, 5 << 2 | 0x20, END_POWER_OFF },
		{ PORT_SLEEP, 5 << 2, END_NONE },
		{ PORT_SLEEP, 3 << 2 | 0x20, END_NONE },
		{ PORT_RESET, RESET_VALUE, END_REBOOT },
		{ PORT_I8042, 0xfe, END_REBOOT },
		{ PORT_I8042, 0xd1, END_NONE },
		{ PORT_PVPANIC, 1, END_PANIC },
		{ PORT_PVPANIC, 2, END_NONE },
	};

	for (size_t i = 0; i < sizeof(ways) / sizeof(ways[0]); i++) {
		m.end = END_NONE;
		put(ways[i].port, ways[i].v, 1);
		assert_int_equal(m.end, ways[i].end);
	}
	assert_true(signalled(m.ended.fd));
}

static void the_first_end_wins(void **state)
{
	put(PORT_PVPANIC, 1, 1);
	put(PORT_RESET, 1, 1);
	assert_int_equal(m.end, END_PANIC);
	machine_fail(&m, "late");
	assert_int_equal(m.why.no, 0);
}

static void events_are_read_once(void **state)
{
	power_event(&m.power, GED_POWER_BUTTON);
	power_event(&m.power, GED_NEW_GENERATION);
	assert_true(signalled(m.power.irq_fd));
	assert_int_equal(in(PORT_GED, 4), GED_POWER_BUTTON | GED_NEW_GENERATION);
	assert_int_equal(in(PORT_GED, 4), 0);
}

static uint32_t ioapic_get(uint32_t index)
{
	store(IOAPIC_BASE, index, 4);
	return (uint32_t)load(IOAPIC_BASE + 0x10, 4);
}

static void ioapic_set(uint32_t index, uint32_t v)
{
	store(IOAPIC_BASE, index, 4);
	store(IOAPIC_BASE + 0x10, v, 4);
}

static void the_interrupt_controller_keeps_its_table(void **state)
{
	assert_int_equal(ioapic_get(1), 0x20 | (GSI_N - 1) << 16);
	for (uint32_t i = 0; i < GSI_N; i++)
		assert_int_equal(ioapic_get(0x10 + 2 * i), 1 << 16);
	ioapic_set(0x10, 0xffffffff);
	ioapic_set(0x11, 0xffffffff);
	assert_int_equal(ioapic_get(0x10), 0x1afff);
	assert_int_equal(ioapic_get(0x11), 0xff000000);
	/* behind the end, and odd accesses */
	ioapic_set(0x10 + 2 * GSI_N, 5);
	assert_int_equal(ioapic_get(0x10 + 2 * GSI_N), 0);
	ioapic_set(0xff, 5);
	assert_int_equal(load(IOAPIC_BASE + 0x10, 8), 0);
	assert_int_equal(load(IOAPIC_BASE + 0x14, 4), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nobody_reads_as_all_ones, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_wide_read_beyond_the_serial_port_finds_nothing, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(what_is_written_to_the_serial_port_comes_out, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(the_serial_port_interrupts_when_it_is_empty, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(each_way_to_end_is_told_apart, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_first_end_wins, set_up, tear_down),
		cmocka_unit_test_setup_teardown(events_are_read_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(the_interrupt_controller_keeps_its_table, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_threads.c - a whole machine's threads with a processor that is made up: for -Db_sanitize=thread most of all
 *
 * KVM_RUN is answered here: each vcpu leaves its guest at once, for a register of a device, the IOAPIC or a port.  The main
 * thread is the machine's; another one is its owner, who pauses it, lets it go on and asks for statistics.
 */
#include "../cm.h"

#include <errno.h>
#include <linux/kvm.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "rig.h"
#include "virtio/rng.h"
#include "vmm/control.h"
#include "vmm/seal.h"

#define N_VCPUS 4
#define ROUNDS	300 /* of pause and resume */

static struct machine m;
static struct control control;
static struct saver saver;
static struct kvm_run runs[N_VCPUS];
static struct rng busy; /* on a thread of its own */
static uint64_t entries; /* atomic */
static bool paused; /* atomic */

/* From any thread. */
__attribute__((format(printf, 1, 2))) static _Noreturn void die(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	abort();
}

/* --- a guest */

static uint32_t random32(void)
{
	static _Thread_local uint32_t state;

	if (!state)
		state = (uint32_t)gettid();
	state ^= state << 13;
	state ^= state >> 17;
	return state ^= state << 5;
}

static void fill_mmio(struct kvm_run *run)
{
	uint64_t base = random32() % 8 ? VIRTIO_BASE + random32() % 4 * VIRTIO_STRIDE : IOAPIC_BASE;
	uint32_t v = random32() % 4 ? random32() % 16 : random32();

	run->exit_reason = KVM_EXIT_MMIO;
	run->mmio.phys_addr = base + random32() % 0x80 * 4;
	run->mmio.len = 4;
	run->mmio.is_write = random32() & 1;
	memcpy(run->mmio.data, &v, sizeof(v));
}

static void fill_io(struct kvm_run *run)
{
	run->exit_reason = KVM_EXIT_IO;
	run->io.direction = random32() % 2 ? KVM_EXIT_IO_OUT : KVM_EXIT_IO_IN;
	run->io.port = PORT_SERIAL + random32() % SERIAL_PORTS;
	run->io.size = run->io.count = 1;
	run->io.data_offset = sizeof(*run) - 8;
}

static int run_guest(unsigned index)
{
	struct kvm_run *run = &runs[index];

	if (__atomic_load_n(&paused, __ATOMIC_SEQ_CST))
		die("vcpu %u runs while the machine is paused", index);
	__atomic_fetch_add(&entries, 1, __ATOMIC_RELAXED);
	if (__atomic_load_n(&run->immediate_exit, __ATOMIC_SEQ_CST)) {
		errno = EINTR;
		return -1;
	}
	if (random32() % 4)
		fill_mmio(run);
	else
		fill_io(run);
	return 0;
}

int ioctl(int fd, unsigned long request, ...)
{
	return request == KVM_RUN ? run_guest((unsigned)(-2 - fd)) : 0;
}

/* --- the owner */

static void ask(int fd, const char *line, const char *part)
{
	static char answer[CONTROL_MAX_ANSWER];
	size_t n = 0;

	if (write(fd, line, strlen(line)) != (ssize_t)strlen(line))
		die("%s is not sent", line);
	do {
		ssize_t r = read(fd, answer + n, sizeof(answer) - 1 - n);

		if (r <= 0)
			die("no answer to %s", line);
		n += (size_t)r;
	} while (answer[n - 1] != '\n');
	answer[n] = '\0';
	if (!strstr(answer, part))
		die("%s: %s", line, answer);
}

static void *owner(void *arg)
{
	int fd = *(int *)arg;

	for (unsigned i = 0; i < ROUNDS; i++) {
		uint64_t before;

		ask(fd, "pause\n", "true");
		__atomic_store_n(&paused, true, __ATOMIC_SEQ_CST);
		ask(fd, "state\n", "paused");
		ask(fd, i % 16 ? "balloon 65536\n" : "serial\n", "");
		__atomic_store_n(&paused, false, __ATOMIC_SEQ_CST);
		before = __atomic_load_n(&entries, __ATOMIC_RELAXED);
		ask(fd, "resume\n", "true");
		ask(fd, "stats\n", "\"vcpus\"");
		while (__atomic_load_n(&entries, __ATOMIC_RELAXED) < before + N_VCPUS)
			sched_yield();
	}
	if (write(fd, "quit\n", 5) != 5)
		die("quit is not sent");
	return NULL;
}

/* --- the machine */

static void on_ended(void *arg, uint32_t events)
{
	loop_stop(m.loop);
}

static void give_ram(void)
{
	static uint8_t host[1 << 20] __attribute__((aligned(4096)));

	m.ram = (struct ram){ .n = 1, .slots[0] = { 0, sizeof(host), host, 0 }, .fd = -1 };
}

static void set_up(int control_fd)
{
	static const struct vmm_config none = { .console_fd = -1 };
	struct devices *devices;
	struct loop *loop;
	struct err e = { 0 };

	machine_rig_init(&m, -1);
	m.ended.events = EPOLLIN;
	m.ended.fn = on_ended;
	assert_int_equal(loop_add(m.loop, &m.ended), 0);
	give_ram();
	loop = machine_worker(&m);
	assert_non_null(loop);
	assert_int_equal(rng_init(&busy, &m.ram, loop), 0);
	assert_int_equal(machine_add(&m, &busy.dev), 0);
	devices = devices_make(&none, &m, &e);
	assert_non_null(devices);
	assert_int_equal(devices_plug(devices, &e), 0);
	for (unsigned i = 0; i < N_VCPUS; i++)
		m.vcpus[i] = (struct vcpu){ .machine = &m, .index = i, .fd = -2 - (int)i, .run = &runs[i] };
	m.n_vcpus = N_VCPUS;
	assert_int_equal(control_init(&control, &m, devices, &saver, control_fd), 0);
}

static void a_paused_machine_is_still_and_a_resumed_one_runs(void **state)
{
	struct err e = { 0 };
	pthread_t thread;
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	set_up(pair[1]);
	seal_disable();
	alarm(120);
	assert_int_equal(machine_start_threads(&m, &e), 0);
	assert_int_equal(pthread_create(&thread, NULL, owner, &pair[0]), 0);
	assert_int_equal(machine_run(&m), END_POWER_OFF);
	pthread_join(thread, NULL);
	for (unsigned i = 0; i < N_VCPUS; i++)
		assert_true(__atomic_load_n(&m.vcpus[i].exits[KVM_EXIT_MMIO], __ATOMIC_RELAXED) > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_paused_machine_is_still_and_a_resumed_one_runs),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_console.c - the console: bytes both ways, a reader that is slow or gone, and broken drivers */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/console.h"

#define RX 0
#define TX 1

static struct console c;
static struct rig *r;
static int end; /* the other one */

static void start_with(int fd)
{
	r = rig_new();
	assert_int_equal(console_init(&c, fd, &r->ram, r->loop), 0);
	rig_start(r, &c.dev, 0);
}

static int set_up(void **state)
{
	int p[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
	end = p[0];
	start_with(p[1]);
	return 0;
}

static int tear_down(void **state)
{
	console_done(&c);
	rig_free(r);
	if (end >= 0)
		close(end);
	return 0;
}

static uint16_t print(const char *text, uint32_t n)
{
	uint64_t at = rig_alloc(r, n, 1);
	uint16_t head;

	memcpy(rig_at(r, at), text, n);
	if (n > 1)
		head = rig_add(r, TX, (struct rig_buf[]){ { at, 1, false }, { at + 1, n - 1, false } }, 2);
	else
		head = rig_add(r, TX, &(struct rig_buf){ at, n, false }, 1);
	rig_kick(r, TX);
	rig_turn(r);
	return head;
}

static void assert_read(int fd, const char *text)
{
	char buf[256];
	ssize_t n = read(fd, buf, sizeof(buf));

	assert_int_equal(n, strlen(text));
	assert_memory_equal(buf, text, strlen(text));
}

static void it_is_a_console_of_one_port(void **state)
{
	assert_int_equal(rig_get(r, R_DEVICE_ID), 3);
	rig_set(r, R_QUEUE_SEL, 2);
	assert_int_equal(rig_get(r, R_QUEUE_NUM_MAX), 0);
	assert_int_equal(rig_offered(r) & 7, 0);
}

static void output_goes_out(void **state)
{
	uint16_t head = print("hello", 5);

	assert_int_equal(rig_wait(r, TX, head), 0);
	assert_read(end, "hello");
}

/* A chain may have 4 GiB, of the same RAM over and over. */
static void much_output_leaves_the_loop_to_others(void **state)
{
	const uint32_t piece = 64 << 10;
	struct rig_buf bufs[40];
	uint64_t at;
	int fd = memfd_create("out", MFD_CLOEXEC);
	uint16_t head;

	console_done(&c);
	rig_free(r);
	start_with(fd);
	at = rig_alloc(r, piece, 1);
	for (size_t i = 0; i < 40; i++)
		bufs[i] = (struct rig_buf){ at, piece, false };
	head = rig_add(r, TX, bufs, 40);
	rig_kick(r, TX);
	assert_true(loop_once(r->loop, 1000) > 0);
	assert_true(lseek(fd, 0, SEEK_END) <= 1 << 20);
	assert_int_equal(rig_wait(r, TX, head), 0);
	assert_int_equal(lseek(fd, 0, SEEK_END), 40 * piece);
}

static void input_comes_in_and_waits_for_buffers(void **state)
{
	uint64_t at = rig_alloc(r, 64, 1);
	uint16_t head;

	assert_int_equal(write(end, "typed", 5), 5);
	rig_turn(r);
	head = rig_add(r, RX, (struct rig_buf[]){ { at, 2, true }, { at + 32, 2, true } }, 2);
	rig_kick(r, RX);
	assert_int_equal(rig_wait(r, RX, head), 4);
	assert_memory_equal(rig_at(r, at), "ty", 2);
	assert_memory_equal(rig_at(r, at + 32), "pe", 2);
	head = rig_add(r, RX, &(struct rig_buf){ at, 64, true }, 1);
	rig_kick(r, RX);
	assert_int_equal(rig_wait(r, RX, head), 1);
	head = rig_add(r, RX, &(struct rig_buf){ at, 64, true }, 1);
	rig_kick(r, RX);
	rig_turn(r);
	assert_int_equal(write(end, "more", 4), 4);
	assert_int_equal(rig_wait(r, RX, head), 4);
}

/* Fills the socket until a chain waits; bytes that are out. */
static size_t fill_up(char *data, uint32_t n, uint16_t *ret_head)
{
	size_t all = 0;
	struct rig_used u;

	memset(data, 'x', n);
	do {
		*ret_head = print(data, n);
		all += n;
		assert_true(all < 64u << 20);
	} while (rig_take(r, TX, &u));
	return all;
}

static void a_full_descriptor_holds_the_output_until_it_is_read(void **state)
{
	static char data[100000], got[100000];
	uint16_t head;
	size_t all = fill_up(data, 40000, &head), n = 0;

	r->heap = RIG_LOW_BYTES / 2; /* the memory of what was written before is free */
	print("!", 1);
	while (n < all + 1) {
		ssize_t k = read(end, got, sizeof(got));

		assert_true(k > 0);
		n += (size_t)k;
		rig_turn(r);
	}
	assert_int_equal(n, all + 1);
	assert_int_equal(rig_wait(r, TX, head), 0);
	rig_next(r, TX);
}

static void output_is_thrown_away_when_the_reader_is_gone(void **state)
{
	static char data[100000];
	uint16_t head;

	fill_up(data, 40000, &head);
	close(end);
	end = -1;
	rig_turn(r);
	assert_int_equal(rig_wait(r, TX, head), 0);
	head = print("to nobody", 9);
	assert_int_equal(rig_wait(r, TX, head), 0);
	assert_false(rig_needs_reset(r));
}

static void a_reset_forgets_what_was_held(void **state)
{
	static char data[100000], got[100000];
	uint16_t head;
	ssize_t n;
	char last = 0;

	fill_up(data, 40000, &head);
	rig_start(r, &c.dev, 0);
	assert_int_equal(c.written, 0);
	while ((n = recv(end, got, sizeof(got), MSG_DONTWAIT)) > 0)
		last = got[n - 1];
	assert_int_equal(last, 'x');
	head = print("new", 3);
	assert_int_equal(rig_wait(r, TX, head), 0);
	assert_read(end, "new");
}

static void a_restored_console_goes_on_within_a_chain(void **state)
{
	static char data[100000], got[100000];
	static struct console_state s;
	uint16_t head;
	size_t all = fill_up(data, 40000, &head), n = 0;

	console_save(&c, &s);
	assert_int_equal(console_restore(&c, &s), 0);
	while (n < all) {
		ssize_t k = read(end, got, sizeof(got));

		assert_true(k > 0);
		n += (size_t)k;
		rig_turn(r);
	}
	assert_int_equal(rig_wait(r, TX, head), 0);
	assert_int_equal(recv(end, got, 1, MSG_DONTWAIT), -1);
	/* a number that no chain has: the chain counts as written */
	s.written = UINT32_MAX;
	assert_int_equal(console_restore(&c, &s), 0);
	rig_turn(r);
	assert_false(rig_needs_reset(r));
	s.dev.status = 0xffff;
	assert_int_equal(console_restore(&c, &s), -EINVAL);
}

static void broken_drivers_need_a_reset(void **state)
{
	for (unsigned i = 0; i < 2; i++) {
		uint64_t at;

		rig_start(r, &c.dev, 0);
		at = rig_alloc(r, 64, 1);
		assert_int_equal(write(end, "typed", 5), 5);
		rig_add(r, i, &(struct rig_buf){ at, 64, i == TX }, 1);
		rig_kick(r, i);
		rig_turn(r);
		assert_true(rig_needs_reset(r));
	}
}

static void a_pipe_is_for_output(void **state)
{
	uint64_t at;
	int p[2];

	assert_int_equal(pipe(p), 0);
	end = p[0];
	start_with(p[1]);
	at = rig_alloc(r, 64, 1);
	rig_add(r, RX, &(struct rig_buf){ at, 64, true }, 1);
	rig_kick(r, RX);
	assert_int_equal(rig_wait(r, TX, print("pipe", 4)), 0);
	assert_read(end, "pipe");
	close(end);
	end = -1;
	assert_int_equal(rig_wait(r, TX, print("gone", 4)), 0);
	assert_false(rig_needs_reset(r));
	tear_down(state);
}

static void a_file_is_for_output(void **state)
{
	char path[] = "/tmp/test_console.XXXXXX";

	end = mkstemp(path);
	assert_true(end >= 0);
	unlink(path);
	start_with(dup(end));
	assert_int_equal(rig_wait(r, TX, print("file", 4)), 0);
	assert_int_equal(lseek(end, 0, SEEK_SET), 0);
	assert_read(end, "file");
	tear_down(state);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_a_console_of_one_port),
		CASE(output_goes_out),
		CASE(much_output_leaves_the_loop_to_others),
		CASE(input_comes_in_and_waits_for_buffers),
		CASE(a_full_descriptor_holds_the_output_until_it_is_read),
		CASE(output_is_thrown_away_when_the_reader_is_gone),
		CASE(a_reset_forgets_what_was_held),
		CASE(a_restored_console_goes_on_within_a_chain),
		CASE(broken_drivers_need_a_reset),
		cmocka_unit_test(a_pipe_is_for_output),
		cmocka_unit_test(a_file_is_for_output),
	};

	signal(SIGPIPE, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

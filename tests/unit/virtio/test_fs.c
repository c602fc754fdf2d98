/* test_fs.c - the file system device: before a real virtiofsd, and before servers that break the protocol */
#include "rig.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "virtio/fs.h"

#define VIRTIOFSD "/usr/lib/qemu/virtiofsd"
#define REQUESTS  1 /* the queue */

static struct fs f;
static struct rig *r;

/* --- a server of our own, in a thread */

enum request {
	GET_FEATURES = 1,
	SET_FEATURES = 2,
	SET_OWNER = 3,
	SET_MEM_TABLE = 5,
	SET_VRING_NUM = 8,
	SET_VRING_ADDR = 9,
	SET_VRING_BASE = 10,
	GET_VRING_BASE = 11,
	SET_VRING_KICK = 12,
	SET_VRING_CALL = 13,
	GET_PROTOCOL_FEATURES = 15,
	SET_PROTOCOL_FEATURES = 16,
	SET_VRING_ENABLE = 18,
};

enum deed {
	HONEST,
	OTHER_TYPE, /* of the answer */
	NO_REPLY_FLAG,
	OTHER_VERSION,
	SHORT, /* size 4 */
	LONG, /* size 0xffffffff */
	CUT, /* half of the body, then the end */
	REFUSE, /* an answer that means failure, or has nothing of what is needed */
	HANG_UP,
	SILENT,
	LATE, /* by more than VHOST_USER_DEADLINE_MS */
	TRICKLE, /* a byte every 300 ms */
	WITH_FD,
};

struct seen {
	uint32_t request, size;
	uint8_t body[128];
	int fds[4];
	unsigned n_fds;
};

struct server {
	int sock;
	enum request at;
	enum deed deed;
	struct seen seen[64];
	unsigned n;
	pthread_t thread;
};

static struct server server;
static int our_end;

static ssize_t hear(struct server *s, uint32_t head[3], struct seen *ret)
{
	union {
		struct cmsghdr head;
		char space[CMSG_SPACE(4 * sizeof(int))];
	} control;
	struct iovec io = { head, 12 };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)
	};
	ssize_t n = recvmsg(s->sock, &m, MSG_WAITALL);

	if (n != 12)
		return -1;
	*ret = (struct seen){ .request = head[0], .size = head[2] };
	if (CMSG_FIRSTHDR(&m)) {
		ret->n_fds = (unsigned)((CMSG_FIRSTHDR(&m)->cmsg_len - CMSG_LEN(0)) / sizeof(int));
		memcpy(ret->fds, CMSG_DATA(CMSG_FIRSTHDR(&m)), ret->n_fds * sizeof(int));
	}
	if (head[2] > sizeof(ret->body))
		return -1;
	return !head[2] || recv(s->sock, ret->body, head[2], MSG_WAITALL) == head[2] ? 0 : -1;
}

static void trickle(int sock, const void *data, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (send(sock, (const char *)data + i, 1, MSG_NOSIGNAL) < 0)
			return;
		usleep(300000);
	}
}

static void answer_with_fd(int sock, const void *data, size_t n)
{
	char control[CMSG_SPACE(sizeof(int))] = { 0 };
	struct iovec io = { (void *)(uintptr_t)data, n };
	struct msghdr m = {
		.msg_iov = &io, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)
	};

	*CMSG_FIRSTHDR(&m) = (struct cmsghdr){ CMSG_LEN(sizeof(int)), SOL_SOCKET, SCM_RIGHTS };
	memcpy(CMSG_DATA(CMSG_FIRSTHDR(&m)), &sock, sizeof(sock));
	sendmsg(sock, &m, MSG_NOSIGNAL);
}

/* false: the connection is to end */
static bool answer(struct server *s, uint32_t request, uint64_t value)
{
	struct {
		uint32_t request, flags, size;
		uint64_t value;
	} __attribute__((packed)) a = { request, 5, 8, value };
	enum deed deed = s->at == request ? __atomic_load_n(&s->deed, __ATOMIC_SEQ_CST) : HONEST;

	a.request += deed == OTHER_TYPE;
	a.flags = deed == NO_REPLY_FLAG ? 1 : deed == OTHER_VERSION ? 6 : 5;
	a.size = deed == SHORT ? 4 : deed == LONG ? UINT32_MAX : 8;
	if (deed == REFUSE)
		a.value = request == GET_FEATURES || request == GET_PROTOCOL_FEATURES ? 0 : UINT64_MAX;
	if (deed == LATE)
		poll(NULL, 0, VHOST_USER_DEADLINE_MS + 100);
	if (deed == TRICKLE)
		trickle(s->sock, &a, sizeof(a));
	else if (deed == WITH_FD)
		answer_with_fd(s->sock, &a, sizeof(a));
	else if (deed != SILENT && deed != HANG_UP)
		send(s->sock, &a, deed == CUT ? 16 : sizeof(a), MSG_NOSIGNAL);
	return deed != CUT && deed != HANG_UP;
}

static void *serve(void *arg)
{
	struct server *s = arg;
	uint32_t head[3];

	while (s->n < 64 && hear(s, head, &s->seen[s->n]) == 0) {
		const struct seen *seen = &s->seen[s->n++];
		uint64_t v = 0;

		if (seen->request == GET_FEATURES)
			v = VIRTIO_F_VERSION_1 | VIRTIO_F_EVENT_IDX | VIRTIO_F_INDIRECT_DESC | 1u << 30 |
			    1u << 24;
		else if (seen->request == GET_PROTOCOL_FEATURES)
			v = 0xffff;
		else if (seen->request == GET_VRING_BASE)
			memcpy(&v, seen->body, sizeof(v));
		else if (!(head[1] & 8))
			continue;
		if (!answer(s, seen->request, v))
			break;
	}
	shutdown(s->sock, SHUT_RDWR);
	return NULL;
}

static void server_start(enum request at, enum deed deed)
{
	int p[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p), 0);
	server = (struct server){ .sock = p[0], .at = at, .deed = deed };
	our_end = p[1];
	assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
}

static void server_end(void)
{
	shutdown(server.sock, SHUT_RDWR);
	pthread_join(server.thread, NULL);
	for (unsigned i = 0; i < server.n; i++)
		for (unsigned k = 0; k < server.seen[i].n_fds; k++)
			close(server.seen[i].fds[k]);
	close(server.sock);
}

static int init(void)
{
	const struct fs_spec s = { "share", our_end };
	int e = fs_init(&f, &s, &r->ram, r->loop);

	if (e < 0)
		close(our_end);
	r->dev = &f.dev;
	return e;
}

/* As rig_start, which does not allow a device to fail. */
static void driver_ok(void)
{
	assert_true(rig_negotiate(r, rig_offered(r)));
	rig_queue_setup(r, 0, 16);
	rig_queue_setup(r, 1, 64);
	rig_driver_ok(r);
	rig_turn(r);
}

static int set_up(void **state)
{
	r = rig_new();
	return 0;
}

static int tear_down(void **state)
{
	rig_free(r);
	return 0;
}

static const struct seen *find(enum request request, uint32_t ring)
{
	for (unsigned i = 0; i < server.n; i++)
		if (server.seen[i].request == request && *(uint32_t *)server.seen[i].body == ring)
			return &server.seen[i];
	fail_msg("no message %d for ring %u", request, ring);
	return NULL;
}

static void assert_same_file(int a, int b)
{
	struct stat x, y;

	assert_int_equal(fstat(a, &x), 0);
	assert_int_equal(fstat(b, &y), 0);
	assert_int_equal(x.st_ino, y.st_ino);
}

/* --- the protocol */

static void it_is_a_file_system_with_its_tag(void **state)
{
	const struct fs_spec none = { "", 0 }, longer = { "0123456789012345678901234567890123456", 0 };
	struct fs_config c;

	assert_int_equal(fs_init(&f, &none, &r->ram, r->loop), -EINVAL);
	assert_int_equal(fs_init(&f, &longer, &r->ram, r->loop), -EINVAL);
	server_start(0, HONEST);
	assert_int_equal(init(), 0);
	assert_int_equal(rig_get(r, R_DEVICE_ID), 26);
	for (uint32_t i = 0; i < sizeof(c); i += 4)
		virtio_mmio_read(&f.dev, R_CONFIG + i, (uint8_t *)&c + i, 4);
	assert_memory_equal(c.tag, "share\0\0\0", 8);
	assert_int_equal(c.num_request_queues, 1);
	fs_done(&f);
	server_end();
}

static void ram_that_could_be_shortened_is_not_handed_over(void **state)
{
	int sealed = r->ram.fd;

	r->ram.fd = memfd_create("unsealed", MFD_CLOEXEC);
	server_start(0, HONEST);
	assert_int_equal(init(), -EPERM);
	server_end();
	close(r->ram.fd);
	r->ram.fd = sealed;
}

static void the_server_is_given_ram_and_rings(void **state)
{
	uint64_t table[9];
	uint64_t addr[5];

	server_start(0, HONEST);
	assert_int_equal(init(), 0);
	memcpy(table, server.seen[4].body, sizeof(table));
	assert_int_equal(server.seen[4].request, SET_MEM_TABLE);
	assert_int_equal(server.seen[4].n_fds, 2);
	assert_same_file(server.seen[4].fds[1], r->ram.fd);
	assert_int_equal(table[0], 2);
	for (unsigned i = 0; i < 2; i++) {
		assert_int_equal(table[1 + 4 * i], r->ram.slots[i].gpa);
		assert_int_equal(table[2 + 4 * i], r->ram.slots[i].bytes);
		assert_int_equal(table[3 + 4 * i], (uintptr_t)r->ram.slots[i].host);
		assert_int_equal(table[4 + 4 * i], r->ram.slots[i].offset);
	}
	driver_ok();
	assert_false(rig_needs_reset(r));
	for (uint32_t q = 0; q < 2; q++) {
		memcpy(addr, find(SET_VRING_ADDR, q)->body, sizeof(addr));
		assert_int_equal(addr[1], (uintptr_t)rig_at(r, r->q[q].desc));
		assert_int_equal(addr[2], (uintptr_t)rig_at(r, r->q[q].used));
		assert_int_equal(addr[3], (uintptr_t)rig_at(r, r->q[q].avail));
		assert_int_equal(((const uint32_t *)find(SET_VRING_NUM, q)->body)[1], q ? 64 : 16);
		assert_int_equal(((const uint32_t *)find(SET_VRING_BASE, q)->body)[1], 0);
		assert_int_equal(((const uint32_t *)find(SET_VRING_ENABLE, q)->body)[1], 1);
		assert_int_equal(find(SET_VRING_KICK, q)->n_fds, 1);
		assert_int_equal(find(SET_VRING_CALL, q)->n_fds, 1);
	}
	fs_done(&f);
	server_end();
}

static void kicks_and_calls_go_through_the_eventfds(void **state)
{
	const uint64_t one = 1;
	uint64_t n = 0;

	server_start(0, HONEST);
	assert_int_equal(init(), 0);
	driver_ok();
	assert_int_equal(rig_interrupts(r), 0);
	rig_kick(r, REQUESTS);
	rig_turn(r);
	assert_int_equal(read(find(SET_VRING_KICK, 1)->fds[0], &n, sizeof(n)), sizeof(n));
	assert_int_equal(n, 1);
	assert_int_equal(write(find(SET_VRING_CALL, 1)->fds[0], &one, sizeof(one)), sizeof(one));
	rig_turn(r);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS), 1);
	assert_int_equal(rig_interrupts(r), 1);
	rig_reset(r);
	assert_int_equal(write(find(SET_VRING_CALL, 1)->fds[0], &one, sizeof(one)), sizeof(one));
	rig_turn(r);
	assert_int_equal(rig_interrupts(r), 0);
	fs_done(&f);
	server_end();
}

/* It shares our eventfds, and with them their flags and counters: here it does what it can to make us
 * wait. */
static void a_server_cannot_make_us_wait_in_an_eventfd(void **state)
{
	const uint64_t full = UINT64_MAX - 1;
	const struct seen *kick;
	int call;

	server_start(0, HONEST);
	assert_int_equal(init(), 0);
	driver_ok();
	kick = find(SET_VRING_KICK, 1);
	call = find(SET_VRING_CALL, 1)->fds[0];
	assert_int_equal(write(kick->fds[0], &full, sizeof(full)), sizeof(full));
	assert_int_equal(fcntl(kick->fds[0], F_SETFL, 0), 0);
	assert_int_equal(fcntl(call, F_SETFL, 0), 0);
	alarm(10);
	f.call.fn(f.call.arg, EPOLLIN); /* it was readable, and has been read by the other side */
	rig_reset(r);
	driver_ok();
	alarm(0);
	fs_done(&f);
	server_end();
}

static void a_reset_stops_the_rings_and_the_next_driver_starts_them(void **state)
{
	server_start(0, HONEST);
	assert_int_equal(init(), 0);
	for (unsigned i = 0; i < 3; i++) {
		driver_ok();
		assert_false(rig_needs_reset(r));
		rig_reset(r);
	}
	find(GET_VRING_BASE, 0);
	find(GET_VRING_BASE, 1);
	fs_done(&f);
	server_end();
}

/* --- servers that break it */

static void a_server_that_breaks_the_protocol_is_refused(void **state)
{
	static const enum request at[] = { GET_FEATURES, GET_PROTOCOL_FEATURES, SET_MEM_TABLE };
	static const enum deed deeds[] = { OTHER_TYPE, NO_REPLY_FLAG, OTHER_VERSION, SHORT,
					   LONG,       CUT,	      REFUSE,	     HANG_UP };

	for (size_t i = 0; i < 3; i++)
		for (size_t k = 0; k < sizeof(deeds) / sizeof(deeds[0]); k++) {
			server_start(at[i], deeds[k]);
			if (init() >= 0)
				fail_msg("request %d, deed %d: accepted", at[i], deeds[k]);
			server_end();
		}
}

static void a_server_that_goes_astray_later_needs_a_reset_and_never_returns(void **state)
{
	static const enum deed deeds[] = { OTHER_TYPE, NO_REPLY_FLAG, OTHER_VERSION, SHORT,
					   LONG,       CUT,	      REFUSE,	     HANG_UP };

	for (size_t k = 0; k < sizeof(deeds) / sizeof(deeds[0]); k++) {
		server_start(SET_VRING_ENABLE, deeds[k]);
		assert_int_equal(init(), 0);
		driver_ok();
		if (!rig_needs_reset(r))
			fail_msg("deed %d: running", deeds[k]);
		__atomic_store_n(&server.deed, HONEST, __ATOMIC_SEQ_CST);
		driver_ok();
		assert_true(rig_needs_reset(r));
		fs_done(&f);
		server_end();
	}
	for (size_t k = 0; k < sizeof(deeds) / sizeof(deeds[0]); k++) {
		server_start(GET_VRING_BASE, deeds[k]);
		assert_int_equal(init(), 0);
		driver_ok();
		assert_false(rig_needs_reset(r));
		driver_ok(); /* resets first */
		if (!rig_needs_reset(r))
			fail_msg("deed %d: running", deeds[k]);
		fs_done(&f);
		server_end();
	}
}

static void nobody_waits_for_ever(void **state)
{
	static const struct {
		enum request at;
		enum deed deed;
	} t[] = { { GET_PROTOCOL_FEATURES, SILENT },
		  { SET_VRING_ENABLE, SILENT },
		  { SET_VRING_ENABLE, TRICKLE },
		  { GET_VRING_BASE, TRICKLE } };

	for (size_t i = 0; i < sizeof(t) / sizeof(t[0]); i++) {
		int64_t begin = clock_mono_ns();

		server_start(t[i].at, t[i].deed);
		if (init() == 0) {
			driver_ok();
			driver_ok();
			assert_true(rig_needs_reset(r));
			fs_done(&f);
		}
		assert_true(clock_mono_ns() - begin < 2 * VHOST_USER_DEADLINE_MS * INT64_C(1000000));
		server_end();
	}
}

static void a_server_may_take_its_time_to_start(void **state)
{
	server_start(GET_FEATURES, LATE);
	assert_int_equal(init(), 0);
	fs_done(&f);
	server_end();
}

static void descriptors_in_an_answer_are_dropped(void **state)
{
	int before = dup(0), after;

	close(before);
	server_start(GET_FEATURES, WITH_FD);
	assert_int_equal(init(), 0);
	fs_done(&f);
	server_end();
	after = dup(0);
	close(after);
	assert_int_equal(after, before);
}

static void a_server_that_dies_needs_a_reset(void **state)
{
	server_start(0, HONEST);
	assert_int_equal(init(), 0);
	driver_ok();
	assert_false(rig_needs_reset(r));
	shutdown(server.sock, SHUT_RDWR);
	rig_turn(r);
	assert_true(rig_needs_reset(r));
	driver_ok();
	assert_true(rig_needs_reset(r));
	fs_done(&f);
	server_end();
}

/* --- virtiofsd */

static pid_t pid;
static char dir[] = "/tmp/test_fs.XXXXXX";

static void write_file(const char *name, const char *text)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_CREAT | O_WRONLY, 0644);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static void exec_server(int listen_fd)
{
	char fd[32], source[64];

	snprintf(fd, sizeof(fd), "--fd=%d", listen_fd);
	snprintf(source, sizeof(source), "source=%s", dir);
	fcntl(listen_fd, F_SETFD, 0);
	execl(VIRTIOFSD, VIRTIOFSD, fd, "-o", source, "-o", "sandbox=chroot", "-o", "log_level=err",
	      (char *)NULL);
	_exit(127);
}

static int real_set_up(void **state)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	r = rig_new();
	strcpy(dir, "/tmp/test_fs.XXXXXX");
	assert_non_null(mkdtemp(dir));
	write_file("hello", "what is in the file");
	our_end = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(listener, (struct sockaddr *)&sa, sizeof(sa.sun_family)),
			 0); /* a name of the kernel's */
	assert_int_equal(listen(listener, 1), 0);
	assert_int_equal(getsockname(listener, (struct sockaddr *)&sa, &(socklen_t){ sizeof(sa) }), 0);
	assert_int_equal(connect(our_end, (struct sockaddr *)&sa, sizeof(sa.sun_family) + 6), 0);
	pid = fork();
	if (pid == 0)
		exec_server(listener);
	close(listener);
	return 0;
}

static int real_tear_down(void **state)
{
	char path[64];

	waitpid(pid, NULL, 0); /* its connection is closed */
	snprintf(path, sizeof(path), "%s/hello", dir);
	unlink(path);
	rmdir(dir);
	rig_free(r);
	return 0;
}

struct call {
	uint32_t opcode;
	uint64_t node;
	const void *args;
	uint32_t n_args;
	void *ret;
	uint32_t n_ret;
};

/* One request; returns the error, and how many bytes came. */
static int call(const struct call *c, uint32_t *ret_n)
{
	struct fuse_in_header in = { .len = (uint32_t)sizeof(in) + c->n_args,
				     .opcode = c->opcode,
				     .nodeid = c->node };
	struct fuse_out_header out;
	uint64_t at = rig_alloc(r, 4096, 8), to = rig_alloc(r, 4096, 8);
	struct rig_buf b[] = { { at, sizeof(in), false },
			       { at + sizeof(in), c->n_args, false },
			       { to, sizeof(out), true },
			       { to + sizeof(out), c->n_ret, true } };
	uint16_t head;
	uint32_t n;

	in.unique = at;
	memcpy(rig_at(r, at), &in, sizeof(in));
	memcpy(rig_at(r, at + sizeof(in)), c->args, c->n_args);
	head = rig_add(r, REQUESTS, b, 4);
	rig_kick(r, REQUESTS);
	n = rig_wait(r, REQUESTS, head);
	memcpy(&out, rig_at(r, to), sizeof(out));
	assert_int_equal(out.unique, at);
	assert_int_equal(out.len, n);
	memcpy(c->ret, rig_at(r, to + sizeof(out)), c->n_ret);
	if (ret_n)
		*ret_n = n - (uint32_t)sizeof(out);
	return out.error;
}

static void mount_it(void)
{
	const struct fuse_init_in in = { .major = 7, .minor = 31, .max_readahead = 65536 };
	struct fuse_init_out out;

	assert_int_equal(call(&(struct call){ FUSE_INIT, 0, &in, 64, &out, sizeof(out) }, NULL), 0);
	assert_int_equal(out.major, 7);
}

static void read_hello(void)
{
	struct fuse_entry_out entry;
	struct fuse_open_in open_in = { .flags = O_RDONLY };
	struct fuse_open_out opened;
	struct fuse_read_in read_in = { .size = 100 };
	char text[100];
	uint32_t n;

	assert_int_equal(call(&(struct call){ FUSE_LOOKUP, 1, "nobody", 7, &entry, sizeof(entry) }, NULL),
			 -ENOENT);
	assert_int_equal(call(&(struct call){ FUSE_LOOKUP, 1, "hello", 6, &entry, sizeof(entry) }, NULL), 0);
	assert_int_equal(entry.attr.size, 19);
	assert_int_equal(call(&(struct call){ FUSE_OPEN, entry.nodeid, &open_in, sizeof(open_in), &opened,
					      sizeof(opened) },
			      NULL),
			 0);
	read_in.fh = opened.fh;
	assert_int_equal(
		call(&(struct call){ FUSE_READ, entry.nodeid, &read_in, sizeof(read_in), text, sizeof(text) },
		     &n),
		0);
	assert_int_equal(n, 19);
	assert_memory_equal(text, "what is in the file", 19);
}

static void virtiofsd_serves_a_file_and_again_after_a_reset(void **state)
{
	if (access(VIRTIOFSD, X_OK) < 0 || geteuid() != 0) {
		print_message("skipped: needs root and %s\n", VIRTIOFSD);
		close(our_end);
		skip();
	}
	assert_int_equal(init(), 0);
	for (unsigned i = 0; i < 2; i++) {
		rig_start(r, &f.dev, i ? VIRTIO_F_EVENT_IDX : 0);
		mount_it();
		read_hello();
		for (unsigned k = 0; k < 100 && !(rig_get(r, R_INTERRUPT_STATUS) & 1); k++)
			loop_once(r->loop, 100); /* the call may come after the used ring */
		assert_true(rig_interrupts(r) > 0);
		assert_false(rig_needs_reset(r));
		rig_reset(r);
	}
	fs_done(&f);
}

static void a_killed_virtiofsd_needs_a_reset(void **state)
{
	if (access(VIRTIOFSD, X_OK) < 0 || geteuid() != 0) {
		print_message("skipped: needs root and %s\n", VIRTIOFSD);
		close(our_end);
		skip();
	}
	assert_int_equal(init(), 0);
	rig_start(r, &f.dev, 0);
	kill(pid, SIGKILL);
	for (unsigned k = 0; k < 100 && !rig_needs_reset(r); k++)
		loop_once(r->loop, 100);
	assert_true(rig_needs_reset(r));
	rig_reset(r);
	fs_done(&f);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)
#define REAL(f) cmocka_unit_test_setup_teardown(f, real_set_up, real_tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_a_file_system_with_its_tag),
		CASE(ram_that_could_be_shortened_is_not_handed_over),
		CASE(the_server_is_given_ram_and_rings),
		CASE(kicks_and_calls_go_through_the_eventfds),
		CASE(a_server_cannot_make_us_wait_in_an_eventfd),
		CASE(a_reset_stops_the_rings_and_the_next_driver_starts_them),
		CASE(a_server_that_breaks_the_protocol_is_refused),
		CASE(a_server_that_goes_astray_later_needs_a_reset_and_never_returns),
		CASE(nobody_waits_for_ever),
		CASE(a_server_may_take_its_time_to_start),
		CASE(descriptors_in_an_answer_are_dropped),
		CASE(a_server_that_dies_needs_a_reset),
		REAL(virtiofsd_serves_a_file_and_again_after_a_reset),
		REAL(a_killed_virtiofsd_needs_a_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_attach.c - the pump against a monitor that plays a part: a child process on a socketpair */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/io.h"
#include "cli/attach.h"
#include "wire/msg.h"

#define MIB (1024 * 1024)

/* --- the monitor's side, in the child: what it needs and does not get ends it with status 1 */

struct monitor {
	int fd;
	struct buf in;
	struct msg m; /* the last that came */
	pid_t client;
	uint32_t stream;
	uint32_t arg; /* the part's own */
	int pty; /* -1, or the master of the client's terminal */
};

#define NEED(what)                                                                                           \
	do {                                                                                                 \
		if (!(what)) {                                                                               \
			dprintf(2, "monitor, line %d: %s; last message %s\n", __LINE__, #what,               \
				msg_name(m->m.type));                                                        \
			_exit(1);                                                                            \
		}                                                                                            \
	} while (0)

/* The next message; false at the end of the stream. */
static bool next(struct monitor *m)
{
	if (m->m.type)
		msg_drop(&m->in, &m->m);
	m->m.type = MSG_NONE;
	for (;;) {
		int r = m->in.len ? msg_peek(&m->in, PEER_CLIENT, &m->m, NULL) : 0;
		ssize_t n;

		NEED(r >= 0);
		if (r > 0)
			return true;
		NEED(buf_room(&m->in, 65536));
		n = read(m->fd, m->in.data + m->in.len, 65536);
		if (n <= 0)
			return false;
		m->in.len += (size_t)n;
	}
}

static void expect(struct monitor *m, enum msg_type type)
{
	NEED(next(m));
	NEED(m->m.type == type);
}

static void say_u32(struct monitor *m, enum msg_type type, uint32_t v)
{
	struct buf out = { 0 };

	msg_put_u32(&out, type, m->stream, v);
	NEED(write_full(m->fd, out.data, out.len) == 0);
	buf_done(&out);
}

static void say_u32x2(struct monitor *m, enum msg_type type, uint32_t v, uint32_t w)
{
	struct buf out = { 0 };

	msg_put_u32x2(&out, type, m->stream, v, w);
	NEED(write_full(m->fd, out.data, out.len) == 0);
	buf_done(&out);
}

static void say_data(struct monitor *m, enum msg_type type, const void *data, size_t n)
{
	struct buf out = { 0 };

	msg_put(&out, type, m->stream, data, n);
	NEED(write_full(m->fd, out.data, out.len) == 0);
	buf_done(&out);
}

static void say_exit(struct monitor *m, uint32_t status)
{
	say_u32x2(m, MSG_EXIT, status, 0);
}

static void greet(struct monitor *m)
{
	say_u32(m, MSG_HELLO, MSG_VERSION);
	expect(m, MSG_HELLO);
	NEED(msg_u32(&m->m, 0) == MSG_VERSION);
}

static void start(struct monitor *m)
{
	greet(m);
	NEED(next(m) && (m->m.type == MSG_ATTACH || m->m.type == MSG_START));
	say_u32(m, MSG_STARTED, 42);
}

/* --- the client's side */

struct play {
	struct attach how;
	uint32_t arg;
	int pty;
	int status; /* what attach_run returned */
	char told[512]; /* on stderr */
};

static int memory_file(const void *data, size_t n)
{
	int fd = memfd_create("test", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write_full(fd, data, n), 0);
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	return fd;
}

static int run_told(int fd, struct play *p)
{
	int told = memory_file("", 0), old = dup(2), n;

	dup2(told, 2);
	p->status = attach_run(fd, &p->how);
	dup2(old, 2);
	close(old);
	n = (int)pread(told, p->told, sizeof(p->told) - 1, 0);
	p->told[n > 0 ? n : 0] = '\0';
	close(told);
	return p->status;
}

/* Plays `part` against attach_run; how's descriptors that are 0 become /dev/null. */
static int play(struct play *p, void (*part)(struct monitor *))
{
	int fds[2], status, null = open("/dev/null", O_RDWR | O_CLOEXEC);
	pid_t pid;

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	p->how.in_fd = p->how.in_fd ? p->how.in_fd : null;
	p->how.out_fd = p->how.out_fd ? p->how.out_fd : null;
	p->how.err_fd = p->how.err_fd ? p->how.err_fd : null;
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct monitor m = { .fd = fds[1],
				     .client = getppid(),
				     .stream = p->how.stream,
				     .arg = p->arg,
				     .pty = p->pty };

		close(fds[0]);
		part(&m);
		buf_done(&m.in);
		_exit(0);
	}
	close(fds[1]);
	run_told(fds[0], p);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	close(null);
	return p->status;
}

/* --- how it ends */

static void ends(struct monitor *m)
{
	start(m);
	say_exit(m, m->arg);
}

static void the_status_is_that_of_the_process(void **state)
{
	static const uint32_t cases[] = { 0, 1, 3, 126, 127, 137, 255 };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct play p = { .arg = cases[i] };

		assert_int_equal(play(&p, ends), cases[i]);
		assert_string_equal(p.told, "");
	}
}

static void fails(struct monitor *m)
{
	struct buf out = { 0 };

	greet(m);
	expect(m, MSG_ATTACH);
	msg_put_text(&out, MSG_FAILED, 0, m->arg, "exec x: not found\n\033[2J");
	NEED(write_full(m->fd, out.data, out.len) == 0);
}

static void a_failed_start_is_told_and_has_its_status(void **state)
{
	static const int cases[][2] = { { 125, 125 }, { 126, 126 }, { 127, 127 }, { 0, 125 }, { 256, 125 } };

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct play p = { .arg = (uint32_t)cases[i][0], .how.detach = i % 2 };

		assert_int_equal(play(&p, fails), cases[i][1]);
		assert_string_equal(p.told, "ketch: exec x: not found??[2J\n");
	}
}

static void leaves_before_hello(struct monitor *m)
{
}

static void leaves_after_hello(struct monitor *m)
{
	greet(m);
}

static void leaves_after_start(struct monitor *m)
{
	start(m);
}

static void says_no_hello(struct monitor *m)
{
	say_u32(m, MSG_STARTED, 1);
}

static void is_of_another_version(struct monitor *m)
{
	say_u32(m, MSG_HELLO, MSG_VERSION + 1);
}

static void says_rubbish(struct monitor *m)
{
	start(m);
	NEED(write_full(m->fd, "rubbish of no kind at all", 25) == 0);
}

static void says_what_only_a_client_may(struct monitor *m)
{
	start(m);
	say_u32x2(m, MSG_STOP, 15, 10);
}

static void gives_too_much_credit(struct monitor *m)
{
	start(m);
	say_u32x2(m, MSG_CREDIT, 0, 1);
}

static void a_monitor_that_goes_away_or_misbehaves_is_125(void **state)
{
	static void (*const parts[])(struct monitor *) = {
		leaves_before_hello,   leaves_after_hello, leaves_after_start,		says_no_hello,
		is_of_another_version, says_rubbish,	   says_what_only_a_client_may, gives_too_much_credit,
	};

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		struct play p = { 0 };

		assert_int_equal(play(&p, parts[i]), 125);
		assert_memory_equal(p.told, "ketch: ", 7);
		assert_ptr_equal(strchr(p.told, '\n'), p.told + strlen(p.told) - 1);
	}
}

static void starts_and_stays(struct monitor *m)
{
	greet(m);
	expect(m, MSG_ATTACH);
	NEED(msg_u32(&m->m, 0) == 0);
	say_u32(m, MSG_STARTED, 42);
	NEED(!next(m)); /* the client leaves by itself, and has said nothing more */
}

static void a_detached_one_returns_once_it_has_started(void **state)
{
	int in = memory_file("unread", 6);
	struct play p = { .how = { .detach = true, .interactive = true, .in_fd = in } };

	assert_int_equal(play(&p, starts_and_stays), 0);
	assert_int_equal(lseek(in, 0, SEEK_CUR), 0);
	close(in);
}

static void attaches(struct monitor *m)
{
	greet(m);
	expect(m, MSG_ATTACH);
	NEED(msg_u32(&m->m, 0) == m->arg);
	say_u32(m, MSG_STARTED, 42);
	say_exit(m, 0);
}

static void stdin_takes_part_only_when_asked(void **state)
{
	struct play without = { .arg = ATTACH_STDOUT | ATTACH_STDERR };
	struct play with = { .arg = ATTACH_STDIN | ATTACH_STDOUT | ATTACH_STDERR, .how.interactive = true };

	assert_int_equal(play(&without, attaches), 0);
	assert_int_equal(play(&with, attaches), 0);
}

static void executes(struct monitor *m)
{
	greet(m);
	expect(m, MSG_START);
	NEED(m->m.stream == 1 && m->m.len == 2 && !memcmp(m->m.data, "{}", 2));
	m->stream = 0;
	say_exit(m, 9); /* of another stream: not ours */
	m->stream = 1;
	say_u32(m, MSG_STARTED, 42);
	say_data(m, MSG_STDOUT, "out", 3);
	say_exit(m, 4);
}

static void an_exec_has_a_stream_of_its_own(void **state)
{
	struct buf json = { .data = (char[]){ "{}" }, .len = 2 };
	int out = memory_file("", 0);
	struct play p = { .how = { .stream = 1, .start = &json, .start_type = MSG_START, .out_fd = out } };
	char got[8] = "";

	assert_int_equal(play(&p, executes), 4);
	assert_int_equal(pread(out, got, sizeof(got), 0), 3);
	assert_string_equal(got, "out");
	close(out);
}

static void warns(struct monitor *m)
{
	struct buf out = { 0 };

	start(m);
	msg_put_text(&out, MSG_ERROR, 0, EPERM, "no\nsuch right");
	NEED(write_full(m->fd, out.data, out.len) == 0);
	say_exit(m, 0);
}

static void an_error_on_the_way_is_told_and_ends_nothing(void **state)
{
	struct play p = { 0 };

	assert_int_equal(play(&p, warns), 0);
	assert_string_equal(p.told, "ketch: warning: no?such right\n");
}

/* --- bytes */

static void fill(char *data, size_t n)
{
	for (size_t i = 0; i < n; i++)
		data[i] = (char)(i * 7 + i / 251); /* with zeros and newlines */
}

/* A MiB, never more under way than the window: it ends only when credit comes back. */
static void writes_a_mebibyte(struct monitor *m)
{
	static char data[MIB];
	size_t window = MSG_WINDOW;

	fill(data, sizeof(data));
	start(m);
	say_data(m, MSG_STDERR, "err\0or", 6);
	for (size_t at = 0; at < sizeof(data); at += 4096) {
		while (window < 4096) {
			expect(m, MSG_CREDIT);
			NEED(msg_u32(&m->m, 0) == 1);
			window += msg_u32(&m->m, 1);
		}
		window -= 4096;
		say_data(m, MSG_STDOUT, data + at, 4096);
	}
	say_exit(m, 0);
}

static void stdout_and_stderr_stay_apart_and_whole(void **state)
{
	static char want[MIB], got[MIB + 1];
	int out = memory_file("", 0), err = memory_file("", 0);
	struct play p = { .how = { .out_fd = out, .err_fd = err } };

	fill(want, sizeof(want));
	assert_int_equal(play(&p, writes_a_mebibyte), 0);
	assert_int_equal(pread(out, got, sizeof(got), 0), MIB);
	assert_memory_equal(got, want, MIB);
	assert_int_equal(pread(err, got, sizeof(got), 0), 6);
	assert_memory_equal(got, "err\0or", 6);
	close(out);
	close(err);
}

static void writes_until_it_is_told(struct monitor *m)
{
	start(m);
	say_data(m, MSG_STDOUT, "unread", 6);
	expect(m, m->stream ? MSG_SIGNAL : MSG_STOP);
	NEED(msg_u32(&m->m, 0) == SIGPIPE);
	say_data(m, MSG_STDOUT, "unread", 6); /* told once: no second message may come before the end */
	say_exit(m, 128 + SIGPIPE);
}

static void a_reader_that_has_gone_is_passed_on_as_sigpipe(void **state)
{
	struct buf json = { .data = (char[]){ "{}" }, .len = 2 };
	int out[2];
	struct play main_process = { 0 },
		    exec = { .how = { .stream = 1, .start = &json, .start_type = MSG_START } };

	assert_int_equal(pipe_cloexec(out), 0);
	close(out[0]);
	main_process.how.out_fd = exec.how.out_fd = out[1];
	assert_int_equal(play(&main_process, writes_until_it_is_told), 128 + SIGPIPE);
	assert_string_equal(main_process.told, "");
	assert_int_equal(play(&exec, writes_until_it_is_told), 128 + SIGPIPE);
	assert_string_equal(exec.told, "");
	close(out[1]);
}

static void a_full_device_is_told_once_and_is_no_success(void **state)
{
	int full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	struct play p = { .how.out_fd = full };

	assert_int_equal(play(&p, writes_a_mebibyte), 125);
	assert_string_equal(p.told, "ketch: warning: cannot write to stdout: No space left on device\n");
	close(full);
}

/* Takes all of stdin with credits that come back late, and compares. */
static void reads_a_mebibyte(struct monitor *m)
{
	static char want[MIB];
	size_t got = 0, owed = 0;

	fill(want, sizeof(want));
	start(m);
	while (next(m) && m->m.type == MSG_STDIN) {
		NEED(owed + m->m.len <= MSG_WINDOW && got + m->m.len <= MIB);
		NEED(!memcmp(m->m.data, want + got, m->m.len));
		got += m->m.len;
		owed += m->m.len;
		if (owed == MSG_WINDOW) {
			say_u32x2(m, MSG_CREDIT, 0, MSG_WINDOW);
			owed = 0;
		}
	}
	NEED(m->m.type == MSG_STDIN_EOF && got == MIB);
	say_exit(m, 0);
}

static void stdin_from_a_file_goes_through_whole(void **state)
{
	static char data[MIB];
	struct play p = { .how.interactive = true };

	fill(data, sizeof(data));
	p.how.in_fd = memory_file(data, sizeof(data));
	assert_int_equal(play(&p, reads_a_mebibyte), 0);
	close(p.how.in_fd);
}

/* A child that writes data to the pipe it makes: *ret_fd reads. */
static pid_t writer(const char *data, size_t n, int *ret_fd)
{
	int fds[2];
	pid_t pid;

	assert_int_equal(pipe_cloexec(fds), 0);
	pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		close(fds[0]);
		_exit(write_full(fds[1], data, n) < 0);
	}
	close(fds[1]);
	*ret_fd = fds[0];
	return pid;
}

static void stdin_from_a_pipe_goes_through_whole_and_stays_blocking(void **state)
{
	static char data[MIB];
	struct play p = { .how.interactive = true };
	pid_t pid;

	fill(data, sizeof(data));
	pid = writer(data, sizeof(data), &p.how.in_fd);
	assert_int_equal(play(&p, reads_a_mebibyte), 0);
	assert_false(fcntl(p.how.in_fd, F_GETFL) & O_NONBLOCK);
	close(p.how.in_fd);
	waitpid(pid, NULL, 0);
}

/* Gives no credit: after a window of stdin the next that comes is the answer to output, not more stdin. */
static void gives_no_credit(struct monitor *m)
{
	static char data[MSG_MAX_DATA];
	size_t got = 0;

	start(m);
	while (got < MSG_WINDOW) {
		expect(m, MSG_STDIN);
		got += m->m.len;
	}
	NEED(got == MSG_WINDOW);
	say_data(m, MSG_STDOUT, data, sizeof(data));
	expect(m, MSG_CREDIT);
	say_data(m, MSG_STDERR, data, sizeof(data));
	expect(m, MSG_CREDIT);
	say_exit(m, 0);
}

static void no_more_stdin_is_under_way_than_the_window(void **state)
{
	static char data[MIB];
	struct play p = { .how.interactive = true };
	pid_t pid;

	p.how.in_fd = memory_file(data, sizeof(data));
	assert_int_equal(play(&p, gives_no_credit), 0);
	assert_int_equal(lseek(p.how.in_fd, 0, SEEK_CUR), MSG_WINDOW);
	close(p.how.in_fd);
	pid = writer(data, sizeof(data), &p.how.in_fd);
	assert_int_equal(play(&p, gives_no_credit), 0);
	close(p.how.in_fd); /* the writer gets EPIPE */
	waitpid(pid, NULL, 0);
}

static void expects_the_end_of_stdin(struct monitor *m)
{
	start(m);
	expect(m, MSG_STDIN_EOF);
	say_exit(m, 0);
}

static void the_end_of_stdin_is_passed_on(void **state)
{
	int fds[2], dir = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct play null = { .how.interactive = true }, closed = null, unreadable = null;

	assert_int_equal(play(&null, expects_the_end_of_stdin), 0);
	assert_int_equal(pipe_cloexec(fds), 0);
	close(fds[1]);
	closed.how.in_fd = fds[0];
	assert_int_equal(play(&closed, expects_the_end_of_stdin), 0);
	unreadable.how.in_fd = dir;
	assert_int_equal(play(&unreadable, expects_the_end_of_stdin), 0);
	close(fds[0]);
	close(dir);
}

/* --- signals and the terminal */

static void signals_the_client(struct monitor *m)
{
	start(m);
	NEED(kill(m->client, SIGHUP) == 0); /* ignored there */
	NEED(kill(m->client, (int)m->arg) == 0);
	expect(m, MSG_SIGNAL);
	NEED(msg_u32(&m->m, 0) == m->arg);
	say_exit(m, 128 + m->arg);
}

/* Says nothing more: as an instance that hangs. */
static void is_deaf(struct monitor *m)
{
	start(m);
	for (uint32_t i = 0; i < m->arg; i++) {
		NEED(kill(m->client, SIGTERM) == 0);
		if (i == 0) {
			expect(m, MSG_SIGNAL);
			expect(m, MSG_STATS);
		}
	}
	NEED(!next(m));
}

/* As a process that takes its time to end. */
static void answers_and_ends_later(struct monitor *m)
{
	static const char page[4096];

	start(m);
	for (int i = 0; i < 2; i++) {
		NEED(kill(m->client, SIGTERM) == 0);
		expect(m, MSG_SIGNAL);
		expect(m, MSG_STATS);
		say_data(m, MSG_STATS_REPLY, "{}", 2);
		for (int k = 0; k < 65536 / 4096; k++)
			say_data(m, MSG_STDOUT, page, sizeof(page));
		expect(m, MSG_CREDIT); /* so it has read all that */
	}
	say_exit(m, m->arg);
}

/* Its output is in the way: nothing else is heard of the instance. */
static void says_much_and_signals(struct monitor *m)
{
	static const char page[4096];

	start(m);
	for (int k = 0; k < 2 * 65536 / 4096; k++)
		say_data(m, MSG_STDOUT, page, sizeof(page));
	for (uint32_t i = 0; i < m->arg; i++) {
		NEED(kill(m->client, SIGTERM) == 0);
		while (i == 0 && next(m) && m->m.type != MSG_STATS)
			;
	}
	NEED(!next(m));
}

/* out_fd: 0: /dev/null */
static int ended_by(void (*part)(struct monitor *), uint32_t arg, int out_fd)
{
	pid_t pid = fork();
	int status;

	assert_true(pid >= 0);
	if (pid == 0) {
		struct play p = { .arg = arg, .how.out_fd = out_fd };

		_exit(play(&p, part));
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static void who_is_told_to_end_ends_where_the_instance_does_not_answer(void **state)
{
	assert_int_equal(ended_by(is_deaf, 1, 0), 128 + SIGTERM); /* after the deadline */
	assert_int_equal(ended_by(is_deaf, 2, 0), 128 + SIGTERM); /* at once */
	assert_int_equal(ended_by(answers_and_ends_later, 3, 0), 3);
}

static void who_is_told_to_end_ends_where_nobody_reads_its_output(void **state)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	assert_int_equal(ended_by(says_much_and_signals, 1, fds[1]), 128 + SIGTERM);
	assert_int_equal(ended_by(says_much_and_signals, 2, fds[1]), 128 + SIGTERM);
	assert_int_equal(fcntl(fds[1], F_GETFL) & O_NONBLOCK, 0); /* not ours to change */
	close(fds[0]);
	close(fds[1]);
}

static void signals_are_sent_on_but_not_those_we_ignore(void **state)
{
	static const int signals[] = { SIGINT, SIGTERM, SIGQUIT, SIGUSR1, SIGUSR2, SIGALRM, SIGWINCH, 37 };
	sigset_t set;

	/* a shell starts its background jobs with these ignored */
	signal(SIGINT, SIG_DFL);
	signal(SIGQUIT, SIG_DFL);
	signal(SIGHUP, SIG_IGN);
	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct play p = { .arg = (uint32_t)signals[i] };

		assert_int_equal(play(&p, signals_the_client), 128 + signals[i]);
	}
	signal(SIGHUP, SIG_DFL);
	sigprocmask(SIG_BLOCK, NULL, &set);
	assert_false(sigismember(&set, SIGTERM));
}

static bool is_raw(int fd)
{
	struct termios t;

	return tcgetattr(fd, &t) == 0 && !(t.c_lflag & (ICANON | ECHO | ISIG));
}

static int terminal_of(struct play *p)
{
	struct winsize size = { .ws_row = 24, .ws_col = 80 };
	int tty;

	assert_int_equal(openpty(&p->pty, &tty, NULL, NULL, &size), 0);
	p->how.in_fd = p->how.out_fd = tty;
	p->how.tty = p->how.interactive = true;
	return tty;
}

/* The size is said after the terminal is raw. */
static void expect_size(struct monitor *m, uint32_t rows, uint32_t cols)
{
	expect(m, MSG_RESIZE);
	NEED(msg_u32(&m->m, 0) == rows && msg_u32(&m->m, 1) == cols);
	NEED(is_raw(m->pty));
}

static void has_a_terminal(struct monitor *m)
{
	struct winsize size = { .ws_row = 50, .ws_col = 132 };

	start(m);
	expect_size(m, 24, 80);
	NEED(write(m->pty, "\003", 1) == 1);
	expect(m, MSG_STDIN);
	NEED(m->m.len == 1 && *(const char *)m->m.data == 3);
	NEED(ioctl(m->pty, TIOCSWINSZ, &size) == 0 && kill(m->client, SIGWINCH) == 0);
	expect_size(m, 50, 132);
	say_exit(m, 5);
}

static void a_terminal_is_raw_while_it_runs_and_is_restored(void **state)
{
	struct play p = { 0 };
	int tty = terminal_of(&p);

	assert_int_equal(play(&p, has_a_terminal), 5);
	assert_false(is_raw(tty));
	close(tty);
	close(p.pty);
}

static void leaves_while_raw(struct monitor *m)
{
	start(m);
	expect_size(m, 24, 80);
}

static void a_terminal_is_restored_when_the_monitor_is_lost(void **state)
{
	struct play p = { 0 };
	int tty = terminal_of(&p);

	assert_int_equal(play(&p, leaves_while_raw), 125);
	assert_false(is_raw(tty));
	close(tty);
	close(p.pty);
}

static void kills_the_client(struct monitor *m)
{
	start(m);
	expect_size(m, 24, 80);
	NEED(kill(m->client, (int)m->arg) == 0);
	NEED(!next(m)); /* it says nothing more and goes */
}

static void a_signal_that_ends_us_restores_the_terminal_first(void **state)
{
	static const int signals[] = { SIGTERM, SIGHUP, SIGINT };

	for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++) {
		struct play p = { .arg = (uint32_t)signals[i] };
		int status, tty = terminal_of(&p);
		pid_t pid = fork();

		if (pid == 0) {
			play(&p, kills_the_client);
			_exit(0);
		}
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSIGNALED(status) && WTERMSIG(status) == signals[i]);
		assert_false(is_raw(tty));
		close(tty);
		close(p.pty);
	}
}

/* Attaches to what runs already: no STARTED comes, and its screen is drawn anew by a size that changes. */
static void runs_already(struct monitor *m)
{
	greet(m);
	expect(m, MSG_ATTACH);
	expect(m, MSG_RESIZE);
	NEED(msg_u32(&m->m, 0) == 25);
	expect_size(m, 24, 80);
	NEED(write(m->pty, "a\020b", 3) == 3); /* the first of the keys, and another */
	expect(m, MSG_STDIN);
	NEED(m->m.len == 3);
	NEED(write(m->pty, "c\020\021d", 4) == 4);
	expect(m, MSG_STDIN);
	NEED(m->m.len == 1 && *(const char *)m->m.data == 'c');
	expect(m, MSG_ATTACH);
	NEED(msg_u32(&m->m, 0) == 0);
	NEED(!next(m));
}

static void the_keys_leave_a_process_that_runs(void **state)
{
	bool detached = false;
	struct play p = { .how = { .running = true, .ret_detached = &detached } };
	int tty = terminal_of(&p);

	assert_int_equal(detach_keys_parse(NULL, &p.how.keys, NULL), 0);
	assert_int_equal(play(&p, runs_already), 0);
	assert_true(detached);
	assert_false(is_raw(tty));
	assert_string_equal(p.told, "");
	close(tty);
	close(p.pty);
}

static void counts_stdin(struct monitor *m)
{
	uint32_t n = 0;

	start(m);
	while (next(m) && m->m.type == MSG_STDIN)
		n += (uint32_t)m->m.len;
	NEED(m->m.type == MSG_STDIN_EOF && n == m->arg);
	say_exit(m, 0);
}

static void the_keys_are_bytes_like_others_without_a_terminal(void **state)
{
	int in = memory_file("\020\021", 2);
	struct play p = { .arg = 2, .how = { .interactive = true, .in_fd = in } };

	assert_int_equal(detach_keys_parse(NULL, &p.how.keys, NULL), 0);
	assert_int_equal(play(&p, counts_stdin), 0);
	close(in);
}

static void streams_that_are_left_out_are_not_asked_for(void **state)
{
	struct play p = { .arg = ATTACH_STDOUT, .how.without = ATTACH_STDERR };

	assert_int_equal(play(&p, attaches), 0);
}

static void is_not_told_of_signals(struct monitor *m)
{
	start(m);
	NEED(kill(m->client, SIGTERM) == 0);
	NEED(!next(m)); /* it goes, and the process stays */
}

static void signals_that_are_kept_end_us_alone(void **state)
{
	struct play p = { .how.keep_signals = true };
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		play(&p, is_not_told_of_signals);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_status_is_that_of_the_process),
		cmocka_unit_test(a_failed_start_is_told_and_has_its_status),
		cmocka_unit_test(a_monitor_that_goes_away_or_misbehaves_is_125),
		cmocka_unit_test(a_detached_one_returns_once_it_has_started),
		cmocka_unit_test(stdin_takes_part_only_when_asked),
		cmocka_unit_test(an_exec_has_a_stream_of_its_own),
		cmocka_unit_test(an_error_on_the_way_is_told_and_ends_nothing),
		cmocka_unit_test(stdout_and_stderr_stay_apart_and_whole),
		cmocka_unit_test(a_reader_that_has_gone_is_passed_on_as_sigpipe),
		cmocka_unit_test(a_full_device_is_told_once_and_is_no_success),
		cmocka_unit_test(stdin_from_a_file_goes_through_whole),
		cmocka_unit_test(stdin_from_a_pipe_goes_through_whole_and_stays_blocking),
		cmocka_unit_test(no_more_stdin_is_under_way_than_the_window),
		cmocka_unit_test(the_end_of_stdin_is_passed_on),
		cmocka_unit_test(who_is_told_to_end_ends_where_the_instance_does_not_answer),
		cmocka_unit_test(who_is_told_to_end_ends_where_nobody_reads_its_output),
		cmocka_unit_test(signals_are_sent_on_but_not_those_we_ignore),
		cmocka_unit_test(a_terminal_is_raw_while_it_runs_and_is_restored),
		cmocka_unit_test(a_terminal_is_restored_when_the_monitor_is_lost),
		cmocka_unit_test(the_keys_leave_a_process_that_runs),
		cmocka_unit_test(the_keys_are_bytes_like_others_without_a_terminal),
		cmocka_unit_test(streams_that_are_left_out_are_not_asked_for),
		cmocka_unit_test(signals_that_are_kept_end_us_alone),
		cmocka_unit_test(a_signal_that_ends_us_restores_the_terminal_first),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* control.c - requests of the machine's owner, a line each
 *
 * Nothing here allocates: the thread is sealed.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "vmm/control_int.h"

/* --- answers */

static void say_ok(struct control *c)
{
	control_say(c, "{\"ok\":true}\n");
}

static void say_error(struct control *c, const char *text)
{
	control_say(c, "{\"error\":\"%s\"}\n", text);
}

/* An owner that does not read its answers has gone. */
static void send_answer(struct control *c)
{
	struct iovec iov = { c->answer, c->n_answer };
	struct msghdr m = { .msg_iov = &iov, .msg_iovlen = 1 };

	if (c->watch.fd < 0 || !c->n_answer)
		return;
	if (sendmsg(c->watch.fd, &m, MSG_NOSIGNAL | MSG_DONTWAIT) != (ssize_t)c->n_answer)
		machine_end(c->machine, END_POWER_OFF);
	c->n_answer = 0;
}

/* --- requests: `word` is what follows the verb, or "" */

static void do_state(struct control *c, const char *word)
{
	bool paused = __atomic_load_n(&c->machine->wish, __ATOMIC_ACQUIRE) == WISH_PAUSE;

	control_say(c, "{\"state\":\"%s\"}\n", paused ? "paused" : "running");
}

static void do_pause(struct control *c, const char *word)
{
	machine_wish(c->machine, WISH_PAUSE);
	say_ok(c);
}

static void do_resume(struct control *c, const char *word)
{
	machine_wish(c->machine, WISH_RUN);
	saver_resumed(c->saver);
	say_ok(c);
}

static void do_quit(struct control *c, const char *word)
{
	machine_end(c->machine, END_POWER_OFF);
}

static void do_power_button(struct control *c, const char *word)
{
	power_event(&c->machine->power, GED_POWER_BUTTON);
	say_ok(c);
}

static void do_serial(struct control *c, const char *word)
{
	char log[SERIAL_LOG_SIZE];
	size_t n = serial_log(&c->machine->serial, log, sizeof(log));

	control_say(c, "{\"serial\":");
	control_say_quoted(c, log, n);
	control_say(c, "}\n");
}

static void do_balloon(struct control *c, const char *word)
{
	uint64_t bytes;

	if (parse_u64(word, &bytes) < 0)
		say_error(c, "balloon: not a number of bytes");
	else if (devices_balloon(c->devices, bytes) < 0)
		say_error(c, "balloon: more than the machine's RAM");
	else
		say_ok(c);
}

static void do_vsock(struct control *c, const char *word)
{
	uint32_t port;
	int r;

	if (parse_u32(word, &port) < 0) {
		say_error(c, "vsock: not a port");
		return;
	}
	if (c->passed_fd < 0) {
		say_error(c, "vsock: no descriptor came with the request");
		return;
	}
	r = devices_vsock_connect(c->devices, port, c->passed_fd);
	if (r == 0)
		c->passed_fd = -1; /* it is the device's now */
	if (r < 0)
		say_error(c, r == -ENODEV ? "vsock: the guest has no driver for it"
					  : "vsock: too many connections");
	else
		say_ok(c);
}

static void do_port(struct control *c, const char *word)
{
	uint32_t port;

	if (parse_u32(word, &port) < 0 || c->passed_fd < 0)
		say_error(c, "port: not a port, or no descriptor came with the request");
	else if (devices_vsock_offer(c->devices, port, c->passed_fd) < 0)
		say_error(c, "port: too many");
	else
		c->passed_fd = -1; /* it is the device's now */
	if (c->passed_fd < 0 && !c->n_answer)
		say_ok(c);
}

/* --- snapshots */

static void do_disk(struct control *c, const char *word)
{
	int r = c->passed_fd < 0 ? -EBADF : devices_disk_push(c->devices, word, c->passed_fd);

	if (r < 0) {
		control_say(c, "{\"error\":\"disk: %s\"}\n", strerrordesc_np(-r));
		return;
	}
	c->passed_fd = -1; /* it is the device's now */
	say_ok(c);
}

static void do_ram(struct control *c, const char *word)
{
	bool difference = !strcmp(word, "difference");

	if (c->passed_fd < 0 || (!difference && strcmp(word, "whole")))
		say_error(c, "ram: neither whole nor difference, or no descriptor came with the request");
	else if (saver_take_file(c->saver, c->passed_fd, difference) < 0)
		say_error(c, "ram: one is being written, or the machine was not restored");
	else
		c->passed_fd = -1;
	if (c->passed_fd < 0 && !c->n_answer)
		say_ok(c);
}

static void on_written(void *arg, int64_t pages)
{
	struct control *c = arg;

	if (pages < 0)
		control_say(c, "{\"error\":\"memory is not saved: %s\"}\n", strerrordesc_np((int)-pages));
	else
		control_say(c, "{\"ok\":true,\"pages\":%lld}\n", (long long)pages);
	send_answer(c);
}

static void do_write(struct control *c, const char *word)
{
	if (saver_write(c->saver) < 0)
		say_error(c, "write: there is no file for the memory, or changes cannot be tracked");
}

static void say_report(struct control *c, int r, const struct save_report *report, const struct err *e)
{
	if (r < 0) {
		control_say(c, "{\"error\":");
		control_say_quoted(c, e->msg, strlen(e->msg));
		control_say(c, "}\n");
		return;
	}
	control_say(c, "{\"ok\":true,\"pages\":%lld,\"us\":%lld}\n", (long long)report->pages,
		    (long long)report->pause_ns / 1000);
}

static void save(struct control *c, bool keep)
{
	struct save_report report;
	struct err e;

	if (c->passed_fd < 0)
		say_error(c, "save: no descriptor came with the request");
	else
		say_report(c, saver_save(c->saver, c->passed_fd, keep, &report, &e), &report, &e);
}

static void do_save(struct control *c, const char *word)
{
	save(c, false);
}

static void do_checkpoint(struct control *c, const char *word)
{
	save(c, true);
}

static void do_rollback(struct control *c, const char *word)
{
	struct save_report report;
	struct err e;

	say_report(c, saver_rollback(c->saver, &report, &e), &report, &e);
}

/* --- lines */

static const struct {
	const char *verb;
	void (*fn)(struct control *c, const char *word);
	bool has_word;
} requests[] = {
	{ "state", do_state, false },
	{ "pause", do_pause, false },
	{ "resume", do_resume, false },
	{ "quit", do_quit, false },
	{ "balloon", do_balloon, true },
	{ "power-button", do_power_button, false },
	{ "serial", do_serial, false },
	{ "stats", control_stats, false },
	{ "vsock", do_vsock, true },
	{ "port", do_port, true },
	{ "disk", do_disk, true },
	{ "ram", do_ram, true },
	{ "write", do_write, false },
	{ "save", do_save, false },
	{ "checkpoint", do_checkpoint, false },
	{ "rollback", do_rollback, false },
};

static void do_line(struct control *c, char *line)
{
	char *word = strchr(line, ' ');

	if (word)
		*word++ = '\0';
	if (c->saver && c->saver->writing && strcmp(line, "quit")) {
		say_error(c, "the memory is being written");
		return;
	}
	for (size_t i = 0; i < ARRAY_LEN(requests); i++) {
		if (strcmp(line, requests[i].verb))
			continue;
		if ((word != NULL) != requests[i].has_word)
			say_error(c, requests[i].has_word ? "the request needs a word"
							  : "the request takes no word");
		else
			requests[i].fn(c, word ? word : "");
		return;
	}
	say_error(c, "unknown request");
}

static void drop_fd(struct control *c)
{
	if (c->passed_fd >= 0)
		close(c->passed_fd);
	c->passed_fd = -1;
}

void control_feed(struct control *c, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] != '\n') {
			if (c->n < sizeof(c->line) - 1)
				c->line[c->n++] = bytes[i];
			continue;
		}
		c->line[c->n] = '\0';
		if (c->n == sizeof(c->line) - 1 || strlen(c->line) != c->n)
			say_error(c, "the request is too long, or has a zero byte");
		else
			do_line(c, c->line);
		c->n = 0;
		drop_fd(c);
		send_answer(c);
	}
}

/* --- the socket */

/* The buffer ends where the first descriptor does: the kernel installs no second one. */
static void take_descriptor(struct control *c, struct msghdr *m)
{
	struct cmsghdr *h = CMSG_FIRSTHDR(m);

	if (!h || h->cmsg_level != SOL_SOCKET || h->cmsg_type != SCM_RIGHTS ||
	    h->cmsg_len != CMSG_LEN(sizeof(int)))
		return;
	drop_fd(c);
	memcpy(&c->passed_fd, CMSG_DATA(h), sizeof(int));
	fcntl(c->passed_fd, F_SETFL, O_NONBLOCK);
}

static void on_readable(void *arg, uint32_t events)
{
	struct control *c = arg;
	char bytes[CONTROL_MAX_LINE];
	_Alignas(struct cmsghdr) char room[CMSG_SPACE(sizeof(int))];
	struct iovec iov = { bytes, sizeof(bytes) };
	struct msghdr m = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = room, .msg_controllen = CMSG_LEN(sizeof(int))
	};
	ssize_t n = recvmsg(c->watch.fd, &m, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		machine_end(c->machine, END_POWER_OFF);
		return;
	}
	take_descriptor(c, &m);
	control_feed(c, bytes, (size_t)n);
}

int control_init(struct control *c, struct machine *m, struct devices *d, struct saver *s, int fd)
{
	c->machine = m;
	c->devices = d;
	c->saver = s;
	s->on_written = on_written;
	s->arg = c;
	c->passed_fd = -1;
	c->watch = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_readable, .arg = c };
	return loop_add(m->loop, &c->watch);
}

/* attach_stdin.c - what is typed goes to the process, as far as its window has room and no keys detach us */
#include <errno.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/clock.h"
#include "cli/attach_int.h"

#define LEAVE_S 5 /* for the monitor to hear that we detach */

static bool has_room(const struct pump *p)
{
	return p->in_open && p->started && p->window > p->keys.held && !conn_is_high(p->conn);
}

/* The watch is taken out, not masked, while there is no room: a hang-up cannot be masked. */
static void watch_stdin(struct pump *p)
{
	if (!has_room(p))
		loop_del(p->loop, &p->in);
	else if (!p->in.active && loop_add(p->loop, &p->in) < 0)
		p->in_polls = false;
}

/* Says that we leave, and waits until it was read: a socket that is closed with something unread in it can take what we
 * said with it. */
static void leave(struct pump *p)
{
	int64_t end = clock_mono_ns() + LEAVE_S * NS_PER_S, left;
	char junk[4096];

	msg_put_u32(conn_out(p->conn), MSG_ATTACH, p->a->stream, 0);
	if (conn_drain(p->conn, LEAVE_S * 1000) < 0)
		return;
	shutdown(p->fd, SHUT_WR);
	while ((left = end - clock_mono_ns()) > 0) {
		struct pollfd fd = { .fd = p->fd, .events = POLLIN };

		if (poll(&fd, 1, (int)(left / 1000000)) <= 0 || read(p->fd, junk, sizeof(junk)) <= 0)
			return;
	}
}

/* Sends what was typed, as far as it cannot be the beginning of the keys that detach. */
static void send_input(struct pump *p, const char *in, size_t n)
{
	char out[MSG_MAX_DATA];
	bool detached = detach_keys_feed(&p->keys, in, n, out, &n);

	p->window -= (uint32_t)n;
	if (n)
		msg_put(conn_out(p->conn), MSG_STDIN, p->a->stream, out, n);
	if (!detached)
		return;
	if (p->a->ret_detached)
		*p->a->ret_detached = true;
	p->in_open = false;
	leave(p);
	attach_finish(p, 0);
}

/* Reads once and sends it; false when nothing more is to be read now. */
static bool forward_stdin(struct pump *p)
{
	char data[MSG_MAX_DATA - DETACH_KEYS_MAX];
	size_t room = p->window - p->keys.held;
	ssize_t n = read(p->a->in_fd, data, room < sizeof(data) ? room : sizeof(data));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return false;
	if (n > 0) {
		send_input(p, data, (size_t)n);
	} else {
		/* also after an error: the process must not wait for more */
		p->in_open = false;
		msg_put(conn_out(p->conn), MSG_STDIN_EOF, p->a->stream, NULL, 0);
	}
	conn_flush(p->conn);
	return n > 0;
}

void attach_pump_stdin(struct pump *p)
{
	if (p->in_polls)
		watch_stdin(p);
	if (p->in_polls)
		return;
	while (has_room(p) && forward_stdin(p))
		;
}

void attach_on_stdin(void *arg, uint32_t events)
{
	struct pump *p = arg;

	forward_stdin(p);
	watch_stdin(p);
}

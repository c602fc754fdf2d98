/* console.c - what a guest's kernel and its VMM say, kept within bounds */
#include "vm/console.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

static void end_line(struct console *c)
{
	c->line[c->n_line] = '\0';
	if (strspn(c->line, " ") < c->n_line)
		memcpy(c->last, c->line, sizeof(c->last));
	c->n_line = 0;
}

static void note_lines(struct console *c, const char *p, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		unsigned char ch = (unsigned char)p[i];

		if (ch == '\n' || ch == '\r')
			end_line(c);
		else if (c->n_line < sizeof(c->line) - 1)
			c->line[c->n_line++] = ch < 0x20 || ch >= 0x7f ? '?' : (char)ch;
	}
}

/* The newer half moves to the front. */
static int halve(struct console *c)
{
	autofree char *half = malloc(CONSOLE_KEEP / 2);
	ssize_t n =
		half ? pread(c->log, half, CONSOLE_KEEP / 2, (off_t)(c->log_size - CONSOLE_KEEP / 2)) : -1;

	if (n < 0 || ftruncate(c->log, 0) < 0 || pwrite(c->log, half, (size_t)n, 0) != n)
		return -EIO;
	c->log_size = (size_t)n;
	return 0;
}

static void write_log(struct console *c, const char *p, size_t n)
{
	ssize_t k;

	if (c->log < 0)
		return;
	if (c->log_size + n > CONSOLE_KEEP && halve(c) < 0)
		return;
	k = pwrite(c->log, p, n, (off_t)c->log_size);
	if (k > 0)
		c->log_size += (size_t)k;
}

/* False: nothing more to read for now. */
static bool read_some(struct console *c)
{
	char text[4096];
	ssize_t n = read(c->watch.fd, text, sizeof(text));

	if (n > 0) {
		note_lines(c, text, (size_t)n);
		write_log(c, text, (size_t)n);
		return true;
	}
	if (n == 0 || (errno != EAGAIN && errno != EINTR)) {
		end_line(c);
		loop_del(c->loop, &c->watch);
		close(c->watch.fd);
		c->watch.fd = -1;
	}
	return false;
}

static void on_readable(void *arg, uint32_t events)
{
	read_some(arg);
}

int console_open(struct console *c, struct loop *l, int fd, int log)
{
	int r;

	*c = (struct console){ .loop = l, .log = log };
	c->watch = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_readable, .arg = c };
	r = fd_set_nonblock(fd, true);
	if (r == 0)
		r = loop_add(l, &c->watch);
	if (r < 0)
		console_close(c);
	return r;
}

void console_drain(struct console *c)
{
	while (c->watch.fd >= 0 && read_some(c))
		;
	end_line(c);
}

void console_close(struct console *c)
{
	if (!c->loop)
		return;
	if (c->watch.fd >= 0) {
		loop_del(c->loop, &c->watch);
		close(c->watch.fd);
	}
	if (c->log >= 0)
		close(c->log);
	*c = (struct console){ .watch.fd = -1, .log = -1 };
}

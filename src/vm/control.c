/* control.c - asking the VMM to stop the machine and let it go on */
#include "vm/control.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "sys/scm.h"

enum answer { ANSWER_NONE, ANSWER_DONE, ANSWER_ERROR };

#define MIGRATION "\"event\": \"MIGRATION\", \"data\": {\"status\": "

/* How lines that are answers begin; greetings and events of QMP are none. */
static const struct {
	const char *begin;
	enum answer answer;
} answers[] = {
	{ "{\"ok\":", ANSWER_DONE },
	{ "{\"return\":", ANSWER_DONE },
	{ "{\"error\":", ANSWER_ERROR },
};

static enum answer answer_of(const char *line)
{
	for (size_t i = 0; i < sizeof(answers) / sizeof(answers[0]); i++)
		if (!strncmp(line, answers[i].begin, strlen(answers[i].begin)))
			return answers[i].answer;
	return ANSWER_NONE;
}

/* QEMU's event of the end of a migration (qapi/migration.json), as QEMU prints it. */
static void hear_event(const struct vm_control *c)
{
	bool well = strstr(c->line, MIGRATION "\"completed\"}");

	if (well || strstr(c->line, MIGRATION "\"failed\"}") || strstr(c->line, MIGRATION "\"cancelled\"}"))
		c->migrated(c->arg, well);
}

static void end_line(struct vm_control *c)
{
	enum answer a;

	c->line[c->n] = '\0';
	c->n = 0;
	a = answer_of(c->line);
	if (a == ANSWER_NONE) {
		if (c->migrated)
			hear_event(c);
		return;
	}
	if (c->early) {
		c->early--;
		return;
	}
	str_make_printable(c->line);
	c->answered(c->arg, a == ANSWER_ERROR ? c->line : NULL);
}

void vm_control_feed(struct vm_control *c, const char *bytes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		if (bytes[i] == '\n')
			end_line(c);
		else if (c->n < sizeof(c->line) - 1)
			c->line[c->n++] = bytes[i];
	}
}

static void on_readable(void *arg, uint32_t events)
{
	struct vm_control *c = arg;
	char bytes[1024];
	ssize_t n = recv(c->watch.fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n > 0)
		vm_control_feed(c, bytes, (size_t)n);
	else if (n == 0 || (errno != EAGAIN && errno != EINTR))
		vm_control_close(c); /* the VMM's end is heard of elsewhere */
}

/* A request is far smaller than the socket's buffer: one that does not fit is to a VMM that does not read. */
static int say(struct vm_control *c, const char *line)
{
	size_t len = strlen(line);
	ssize_t n = c->watch.fd < 0 ? -1 : send(c->watch.fd, line, len, MSG_DONTWAIT | MSG_NOSIGNAL);

	return n == (ssize_t)len ? 0 : -EPIPE;
}

int vm_control_open(struct vm_control *c, struct loop *l, int fd, bool qmp)
{
	c->watch = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_readable, .arg = c };
	c->loop = l;
	c->qmp = qmp;
	c->early = qmp;
	if (qmp && say(c, "{\"execute\":\"qmp_capabilities\"}\n") < 0)
		return -EPIPE;
	return loop_add(l, &c->watch);
}

void vm_control_close(struct vm_control *c)
{
	if (c->watch.fd < 0)
		return;
	loop_del(c->loop, &c->watch);
	c->watch.fd = -1;
}

int vm_control_pause(struct vm_control *c, bool pause)
{
	if (c->qmp)
		return say(c, pause ? "{\"execute\":\"stop\"}\n" : "{\"execute\":\"cont\"}\n");
	return say(c, pause ? "pause\n" : "resume\n");
}

int vm_control_ask(struct vm_control *c, const char *line, int fd)
{
	if (c->watch.fd < 0)
		return -EPIPE;
	return fd < 0 ? say(c, line) : scm_send(c->watch.fd, fd, line, strlen(line));
}

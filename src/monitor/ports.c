/* ports.c - sockets that hold published ports, and relays of [::1], come and go while the instance runs */
#include "monitor/ports.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"

/* All else that the monitor keeps is none of a client's business. */
static bool is_of_port(const char *name)
{
	return !strncmp(name, "port/", 5) || !strncmp(name, "relay6/", 7);
}

/* A relay has a copy: it lets go, too, when it sees that the socket was shut down. */
static void let_go(struct boot *b, const char *name)
{
	shutdown(boot_fd(b, name), SHUT_RDWR);
	boot_drop_fd(b, name);
}

void ports_let_go(struct boot *b)
{
	for (size_t i = b->n_fds; i > 0; i--)
		if (is_of_port(b->fds[i - 1].name))
			let_go(b, b->fds[i - 1].name);
}

static int look(const struct boot *b, const char *name)
{
	struct pollfd p = { .fd = boot_fd(b, name) };

	if (p.fd < 0)
		return -ENOENT;
	return poll(&p, 1, 0) > 0 && p.revents & (POLLHUP | POLLERR) ? -ENXIO : 0;
}

int ports_change(struct boot *b, enum port_step step, const char *name, int fd)
{
	autoclose int came = fd;
	int r;

	if (step == PORT_LOOK)
		return is_of_port(name) || !strcmp(name, "relay6") ? look(b, name) : -EINVAL;
	if (!is_of_port(name) || (step != PORT_HOLD && step != PORT_LET_GO))
		return -EINVAL;
	if (step == PORT_LET_GO) {
		let_go(b, name);
		return 0;
	}
	if (came < 0)
		return -EBADF;
	if (boot_fd(b, name) >= 0)
		return -EEXIST;
	r = boot_add_fd(b, name, came);
	if (r == 0)
		take_fd(&came);
	return r;
}

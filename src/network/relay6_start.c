/* relay6_start.c - the relay of an instance is started: it gets its sockets and one end of a pair, we keep the other */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/io.h"
#include "network/names_int.h"
#include "network/relay6.h"

#define READY_WAIT_MS 10000

bool relay6_serves(const struct published_port *p)
{
	struct ip ip;

	return ip_parse(p->host_ip, &ip) == 0 && ip.family == AF_INET6 &&
	       (ip_is_loopback(&ip) || ip_is_any(&ip));
}

static int arguments(const struct relay_port *list, size_t n, int life, struct strv *ret)
{
	char text[IP_TEXT_MAX];
	int r = strv_add(ret, "ketch-net");

	if (r == 0)
		r = strv_add(ret, "relay");
	if (r == 0)
		r = strv_addf(ret, "%d", life);
	for (size_t i = 0; i < n && r == 0; i++) {
		r = strv_addf(ret, "%d", list[i].fd);
		if (r == 0)
			r = strv_add(ret, port_protocol_names[list[i].protocol]);
		if (r == 0)
			r = strv_add(ret, ip_print(&list[i].to, text));
		if (r == 0)
			r = strv_addf(ret, "%u", list[i].port);
	}
	return r;
}

static int spawn(const struct relay_port *list, size_t n, int life, const struct strv *argv)
{
	int fds[RELAY_MAX + 1] = { life };

	for (size_t i = 0; i < n; i++)
		fds[1 + i] = list[i].fd;
	return spawn_net(argv->v, fds, n + 1);
}

int relay6_start(const struct relay_port *list, size_t n, struct err *e)
{
	AUTO(strv_done) struct strv argv = { 0 };
	struct pollfd p = { .events = POLLIN };
	autoclose int ours = -1;
	char said[2];
	int pair[2], r;

	if (n > RELAY_MAX)
		return err_set(e, E2BIG, "an instance can publish %d ports on [::1]", RELAY_MAX);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "socketpair");
	ours = pair[0];
	r = arguments(list, n, pair[1], &argv);
	if (r == 0)
		r = spawn(list, n, pair[1], &argv);
	close(pair[1]);
	if (r < 0)
		return err_sys(e, -r, "the program ketch-net");
	p.fd = ours;
	if (poll(&p, 1, READY_WAIT_MS) != 1 || recv(ours, said, sizeof(said), MSG_DONTWAIT) != sizeof(said))
		return err_set(e, EIO, "the relay of [::1] has not started");
	return take_fd(&ours);
}

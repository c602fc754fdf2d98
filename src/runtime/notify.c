/* notify.c - NOTIFY_SOCKET (sd_notify(3)): a container may tell the service manager of its caller that it is ready */
#include "runtime/notify.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "sys/scm.h"

#define MAX_MESSAGE 4096
#define BARRIER_MS  30000 /* as runc: a service manager before systemd 246 does not know it */

/* --- create */

static bool is_wanted(void)
{
	const char *path = getenv("NOTIFY_SOCKET");

	return path && *path;
}

static int fill_mount(struct oci_mount *m, const char *dir)
{
	*m = (struct oci_mount){ .destination = strdup("/run/notify"), .type = strdup("bind") };
	m->source = str_printf("%s/notify", dir);
	if (!m->destination || !m->type || !m->source)
		return -ENOMEM;
	return strv_add(&m->options, "bind") < 0 || strv_add(&m->options, "nosuid") < 0 ||
			       strv_add(&m->options, "noexec") < 0 || strv_add(&m->options, "nodev") < 0
		       ? -ENOMEM
		       : 0;
}

int notify_add(struct oci_spec *s, const char *dir, struct err *e)
{
	struct oci_mount *more;

	if (!s->has_process)
		return 0;
	more = reallocarray(s->mounts, s->n_mounts + 1, sizeof(*more));
	if (!more)
		return err_set(e, ENOMEM, "out of memory");
	s->mounts = more;
	if (fill_mount(&s->mounts[s->n_mounts++], dir) < 0 ||
	    strv_env_set(&s->process.env, "NOTIFY_SOCKET=/run/notify/notify.sock") < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

int notify_make_directory(int dir, struct err *e)
{
	/* the way there is closed to others by ROOT; inside, every user may go in */
	if (mkdirat(dir, "notify", 0755) < 0 || fchmodat(dir, "notify", 0755, 0) < 0)
		return err_sys(e, errno, "NOTIFY_SOCKET: cannot make a directory");
	return 0;
}

/* --- start */

int notify_open(int dir, int pid, struct notify *ret, struct err *e)
{
	autoclose int place =
		is_wanted() ? openat(dir, "notify", O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;
	autoclose int sock = place < 0 ? -1 : socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };

	*ret = NOTIFY_NONE;
	if (place < 0)
		return 0;
	snprintf(a.sun_path, sizeof(a.sun_path), "/proc/self/fd/%d/notify.sock", place);
	if (sock < 0 || bind(sock, (const struct sockaddr *)&a, sizeof(a)) < 0 ||
	    fchmodat(place, "notify.sock", 0777, 0) < 0)
		return err_sys(e, errno, "NOTIFY_SOCKET: cannot make a socket");
	*ret = (struct notify){ take_fd(&sock), pid };
	return 0;
}

void notify_done(struct notify *n)
{
	if (n->sock >= 0)
		close(n->sock);
	*n = NOTIFY_NONE;
}

/* Of what the container says only "READY=1" matters: the rest could speak for the service itself. */
static bool says_ready(int sock)
{
	char text[MAX_MESSAGE + 1], *rest = text, *line;
	ssize_t n = recv(sock, text, MAX_MESSAGE, 0);

	if (n <= 0)
		return false;
	text[n] = '\0';
	while ((line = strsep(&rest, "\n")))
		if (!strcmp(line, "READY=1"))
			return true;
	return false;
}

/* Connected to the caller's socket; "@name" is an abstract one. */
static int connect_host(void)
{
	autoclose int sock = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	const char *path = getenv("NOTIFY_SOCKET");
	size_t n = strlen(path);

	if (sock < 0 || n >= sizeof(a.sun_path))
		return -1;
	memcpy(a.sun_path, path, n);
	if (*path == '@')
		a.sun_path[0] = '\0';
	n += offsetof(struct sockaddr_un, sun_path) + (*path != '@');
	return connect(sock, (const struct sockaddr *)&a, (socklen_t)n) < 0 ? -1 : take_fd(&sock);
}

static void tell(int host, int pid)
{
	char text[64];

	snprintf(text, sizeof(text), "READY=1\nMAINPID=%d", pid);
	send(host, text, strlen(text), MSG_NOSIGNAL);
}

/* As runc does, who ends after this: whoever has taken it closes its copy of the pipe once it has dealt with all before. */
static void wait_barrier(int host)
{
	struct pollfd p = { .events = POLLIN };
	int pipe[2];

	if (pipe2(pipe, O_CLOEXEC) < 0)
		return;
	p.fd = pipe[0];
	if (scm_send(host, pipe[1], "BARRIER=1", strlen("BARRIER=1")) < 0)
		p.fd = -1;
	close(pipe[1]);
	if (p.fd >= 0)
		poll(&p, 1, BARRIER_MS);
	close(pipe[0]);
}

static bool hear(struct notify *n, bool barrier)
{
	autoclose int host = -1;

	if (!says_ready(n->sock))
		return false;
	host = connect_host();
	if (host >= 0)
		tell(host, n->pid);
	if (host >= 0 && barrier)
		wait_barrier(host);
	notify_done(n);
	return true;
}

void notify_hear(struct notify *n)
{
	hear(n, false);
}

void notify_wait(struct notify *n, int pidfd)
{
	struct pollfd p[] = { { .fd = n->sock, .events = POLLIN }, { .fd = pidfd, .events = POLLIN } };

	for (;;) {
		if (poll(p, ARRAY_LEN(p), -1) < 0 && errno != EINTR)
			return;
		if ((p[0].revents && hear(n, true)) || p[1].revents)
			return;
	}
}

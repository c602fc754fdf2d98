/* criu_pages.c - pages of memory that a dump does not write: they go to a page server (--page-server), or stay with the
 * dump until a restore elsewhere has fetched them (--lazy-pages)
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "base/ip.h"
#include "base/parse.h"
#include "runtime/criu.h"

#define NAME_CHARS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-"

static bool is_name(const char *s)
{
	return *s && *s != '-' && strlen(s) <= 253 && strspn(s, NAME_CHARS) == strlen(s);
}

/* "HOST:PORT", "[IPV6]:PORT".  What is returned points into text, which is cut up. */
static int split(char *text, const char **ret_host, uint32_t *ret_port)
{
	char *colon = strrchr(text, ':');
	bool bracketed = *text == '[' && colon && colon > text && colon[-1] == ']';
	struct ip ip;

	if (!colon || parse_u32(colon + 1, ret_port) < 0 || !*ret_port || *ret_port > 65535)
		return -EINVAL;
	colon[bracketed ? -1 : 0] = '\0';
	*ret_host = text + bracketed;
	if (bracketed)
		return ip_parse(*ret_host, &ip) == 0 && ip.family == AF_INET6 ? 0 : -EINVAL;
	return is_name(*ret_host) ? 0 : -EINVAL;
}

static int add_server(struct criu *c, const struct checkpoint_args *a, struct err *e)
{
	autofree char *text = strdup(a->page_server);
	const char *host;
	uint32_t port;
	int r;

	if (!text)
		return err_set(e, ENOMEM, "out of memory");
	if (split(text, &host, &port) < 0)
		return err_set(e, EINVAL,
			       "--page-server: \"%.80s\" is not ADDRESS:PORT (IPv6: [ADDRESS]:PORT)",
			       a->page_server);
	/* lazy pages are served there, not sent */
	r = a->criu.lazy_pages ? 0 : criu_add(c, "--page-server");
	if (r == 0)
		r = criu_add(c, "--address=%s", host);
	if (r == 0)
		r = criu_add(c, "--port=%u", port);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int pass_status(struct criu *c, const struct checkpoint_args *a, struct err *e)
{
	int fd = (int)a->status_fd, flags = fd == a->status_fd ? fcntl(fd, F_GETFL) : -1, number;

	if (!a->criu.lazy_pages)
		return err_set(e, EINVAL, "--status-fd goes with --lazy-pages");
	if (flags < 0 || (flags & O_ACCMODE) == O_RDONLY)
		return err_set(e, EBADF, "--status-fd: descriptor %lld is not open for writing",
			       (long long)a->status_fd);
	c->passed = fd; /* who waits for the end of the pipe waits for CRIU alone */
	number = criu_add_fd(c, fd);
	if (number < 0)
		return err_sys(e, -number, "--status-fd");
	return criu_add(c, "--status-fd=%d", number) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

int criu_add_pages(struct criu *c, const struct checkpoint_args *a, struct err *e)
{
	int r = 0;

	if (a->criu.lazy_pages && a->pre_dump)
		return err_set(e, EINVAL, "--lazy-pages does not go with --pre-dump");
	if (a->criu.lazy_pages && !a->page_server)
		return err_set(e, EINVAL,
			       "--lazy-pages needs --page-server ADDRESS:PORT: where the pages are served");
	if (a->criu.lazy_pages && c->terminal)
		return err_set(
			e, ENOTSUP,
			"--lazy-pages of a container with a terminal: not supported (CRIU would serve its "
			"memory on every address of the host)");
	if (a->page_server)
		r = add_server(c, a, e);
	return r == 0 && a->status_fd != -1 ? pass_status(c, a, e) : r;
}

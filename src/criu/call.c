/* call.c - a run of CRIU that is asked for by RPC */
#include "criu/call.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "criu/rpc.h"
#include "sys/scm.h"

#define RESPONSE_MAX 16384 /* bytes; those of criu 3.17 have less than 1024 */

/* --- its beginning */

int call_open(struct call *call, struct criu *c, struct err *e)
{
	int pair[2], number, r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_sys(e, errno, "cannot make a socket");
	call->ours = pair[0];
	call->theirs = pair[1];
	call->work = open(c->work, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (call->work < 0)
		return err_sys(e, errno, "%s", c->work);
	r = criu_rpc_add_request(c, call->work, &call->request, e);
	if (r < 0)
		return r;
	number = criu_add_fd(c, call->theirs);
	if (number < 0)
		return err_sys(e, -number, "cannot run CRIU");
	snprintf(call->socket, sizeof(call->socket), "%d", number);
	call->argv[0] = c->argv.v[0];
	call->argv[1] = (char *)"swrk";
	call->argv[2] = call->socket;
	return 0;
}

void call_done(struct call *call)
{
	int fds[] = { call->ours, call->theirs, call->work };

	buf_done(&call->request);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
}

/* --- the conversation */

/* 0, 1 when CRIU has ended, or -errno; so also below. */
static int send_message(int sock, const struct buf *b, struct err *e)
{
	if (!buf_ok(b))
		return err_set(e, ENOMEM, "out of memory");
	if (send(sock, b->data, b->len, MSG_NOSIGNAL) == (ssize_t)b->len)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? 1 : err_sys(e, errno, "cannot speak to CRIU");
}

/* The next response, and the descriptor that came with it, or -1.  1 also when CRIU says that it has failed. */
static int receive(int sock, struct criu_response *ret, int *ret_fd, struct err *e)
{
	char data[RESPONSE_MAX];
	ssize_t n = scm_read(sock, data, sizeof(data), ret_fd);

	if (n < 0 && n != -ECONNRESET)
		return err_sys(e, (int)-n, "cannot hear from CRIU");
	if (n <= 0)
		return 1;
	if (criu_rpc_parse(data, (size_t)n, ret) < 0)
		return err_set(e, EPROTO, "CRIU's response makes no sense");
	return !ret->success;
}

/* The terminal is ours, then. */
static int keep_terminal(struct criu *c, int *fd, struct err *e)
{
	if (c->master >= 0)
		return err_set(e, ENOTSUP,
			       "the images hold a second terminal whose other end was outside the container: "
			       "not supported");
	c->master = take_fd(fd);
	return 0;
}

static int answer(struct criu *c, int sock, const struct criu_response *resp, int *fd, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = 0;

	if (!strcmp(resp->script, "orphan-pts-master") && *fd >= 0)
		r = keep_terminal(c, fd, e);
	criu_rpc_add_answer(&b);
	return r < 0 ? r : send_message(sock, &b, e);
}

int call_make(struct call *call, struct criu *c, struct err *e)
{
	int r;

	close(call->theirs); /* so that its end is seen */
	call->theirs = -1;
	r = send_message(call->ours, &call->request, e);
	while (r == 0) {
		autoclose int fd = -1;
		struct criu_response resp;

		r = receive(call->ours, &resp, &fd, e);
		if (r == 0 && resp.type != CRIU_NOTIFY) {
			c->restored = resp.pid;
			return 0;
		}
		if (r == 0)
			r = answer(c, call->ours, &resp, &fd, e);
	}
	return r;
}

/* stream_ends.c - the two ends of a process's streams: pipes, or a terminal */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/stream_int.h"
#include "sys/pty.h"

bool stream_is_system(const struct stream *s)
{
	return s->id == 0 && s->c->boot->spec.sandbox.system;
}

int stream_open_pipe(const struct container *c, int ours, int *ret_ours, int *ret_child)
{
	int p[2], r = pipe_cloexec(p);

	if (r < 0)
		return r;
	for (int i = 0; i < 2; i++)
		p[i] = fd_move_above_stdio(p[i]);
	*ret_ours = p[ours];
	*ret_child = p[!ours];
	if (p[0] < 0 || p[1] < 0)
		return -EMFILE;
	/* the child gives its ends to the user, which it can only when they are its root's */
	if (c->own_users && fchown(*ret_child, c->root_uid, c->root_gid) < 0)
		return -errno;
	return fd_set_nonblock(*ret_ours, true);
}

int stream_open_terminal(struct stream *s, const struct process *p, struct launch *l)
{
	int slave, r = pty_open(tree_get(s->c, "pts"), &s->master, &slave);

	if (r < 0)
		return r;
	for (int i = 0; i < 3; i++)
		l->stdio[i] = slave;
	if (stream_is_system(s))
		s->slave = fcntl(slave, F_DUPFD_CLOEXEC, 3);
	if (p->rows > 0 && p->cols > 0)
		pty_resize(s->master, p->rows, p->cols);
	/* its own descriptors for both directions: an epoll takes each only once */
	s->out[0].w.fd = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
	s->in.fd = fcntl(s->master, F_DUPFD_CLOEXEC, 3);
	return s->out[0].w.fd < 0 || s->in.fd < 0 ? -errno : 0;
}

int stream_open_pipes(struct stream *s, bool with_stdin, struct launch *l)
{
	int r = 0;

	if (with_stdin)
		r = stream_open_pipe(s->c, 1, &s->in.fd, &l->stdio[0]);
	for (int i = 0; i < 2 && r == 0; i++)
		r = stream_open_pipe(s->c, 0, &s->out[i].w.fd, &l->stdio[i + 1]);
	return r;
}

void stream_close_child_ends(struct launch *l)
{
	for (int i = 0; i < 3; i++)
		if (l->stdio[i] >= 0 && (i == 0 || l->stdio[i] != l->stdio[0]))
			close(l->stdio[i]);
	if (l->report >= 0)
		close(l->report);
	if (l->go >= 0)
		close(l->go);
}

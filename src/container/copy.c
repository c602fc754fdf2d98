/* copy.c - files go into the container, or come out of it, by a process of ours that has joined it
 *
 * It sees what the container sees: its mounts, its volumes, its user IDs.  It runs no code and loads no library of the
 * image (security.md A10), keeps nothing open but its streams and the root, and has no capability that files do not
 * ask for.  Paths are walked below the root only (files/place.h).
 */
#include <errno.h>
#include <linux/capability.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/container_int.h"
#include "container/rights.h"
#include "files/receive.h"
#include "files/send.h"
#include "instance/file_request.h"

enum { STATUS_FAILED = 1 };

static int set_stdio(const struct launch *l, struct err *e)
{
	for (int i = 0; i < 3; i++)
		if (dup2(l->stdio[i] < 0 ? l->stdio[1] : l->stdio[i], i) < 0)
			return err_sys(e, errno, "cannot set the standard streams");
	return 0;
}

/* A2: what the monitor has open is of the host. */
static int close_all_but(int a, int b, struct err *e)
{
	unsigned low = (unsigned)(a < b ? a : b), high = (unsigned)(a < b ? b : a);

	if ((low > 3 && syscall(SYS_close_range, 3, low - 1, 0) < 0) ||
	    (high > low + 1 && syscall(SYS_close_range, low + 1, high - 1, 0) < 0) ||
	    syscall(SYS_close_range, high + 1, ~0U, 0) < 0)
		return err_sys(e, errno, "cannot close descriptors");
	return 0;
}

static int give_up_rights(struct err *e)
{
	struct cap_sets own = { 0 }, want = { 0 };
	const struct user root = { 0 };
	int r = caps_get(&own);

	if (r < 0)
		return err_sys(e, -r, "cannot read the capabilities");
	want.permitted =
		own.permitted & (1 << CAP_CHOWN | 1 << CAP_DAC_OVERRIDE | 1 << CAP_FOWNER | 1 << CAP_FSETID);
	want.bounding = want.effective = want.permitted;
	r = rights_become(&root, &want, e);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(e, errno, "cannot set no_new_privs");
	/* last: a change of rights clears it */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		r = err_sys(e, errno, "cannot tie the process to its monitor");
	return r;
}

/* The report's end without a word: everything is as it was asked for, the bytes begin. */
static void begin(const struct launch *l)
{
	close(l->report);
}

static __attribute__((noreturn)) void end(int r, const struct err *e)
{
	if (r < 0)
		write_full(STDERR_FILENO, e->msg,
			   strlen(e->msg)); /* if nobody listens, nobody wants to know */
	_exit(r < 0 ? STATUS_FAILED : 0);
}

static int send_files(const struct container *c, const struct launch *l, struct err *e)
{
	const struct file_request *rq = l->copy->request;
	AUTO(place_done) struct place from = { .dir_fd = -1 };
	char as[PATH_NAME_MAX + 1];
	int r = place_name(rq->path, as);

	if (r == 0)
		r = place_find(c->root, rq->path, rq->follow, &from);
	if (r == 0)
		r = files_check(&from);
	if (r < 0)
		return err_sys(e, -r, "%.200s", rq->path);
	begin(l);
	r = files_send(&from, as, STDOUT_FILENO, e);
	end(r, e);
}

static int receive_files(const struct container *c, const struct launch *l, struct err *e)
{
	const struct file_request *rq = l->copy->request;
	const struct reception rc = { .in_fd = STDIN_FILENO,
				      .archive = rq->archive,
				      .flags = rq->keep_owner ? RESTORE_OWNER | RESTORE_SETID : 0 };
	AUTO(destination_done) struct destination to = { .place = { .dir_fd = -1 } };
	int r = files_find_destination(c->root, rq->path, &to, e);

	if (r < 0)
		return r;
	begin(l);
	r = files_receive(&to, &rc, e);
	end(r, e);
}

int copy_become(const struct container *c, const struct launch *l, int *ret_status, struct err *e)
{
	int r = set_stdio(l, e);

	*ret_status = STATUS_FAILED;
	if (r == 0)
		r = close_all_but(l->report, c->root, e);
	if (r == 0)
		r = give_up_rights(e);
	if (r < 0)
		return r;
	return l->copy->in ? receive_files(c, l, e) : send_files(c, l, e);
}

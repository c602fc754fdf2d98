/* ours.c - a process of ours in the container, which runs no program: what it gives up first, and the one that only waits
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "container/container_int.h"
#include "container/rights.h"

static int set_stdio(const struct launch *l, struct err *e)
{
	for (int i = 0; i < 3; i++)
		if (dup2(l->stdio[i] < 0 ? l->stdio[1] : l->stdio[i], i) < 0)
			return err_sys(e, errno, "cannot set the standard streams");
	return 0;
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a - *(const int *)b;
}

/* A2: what the monitor has open is of the host. */
static int close_all_but(int *keep, size_t n, struct err *e)
{
	unsigned next = 3;
	int r = 0;

	qsort(keep, n, sizeof(*keep), compare);
	for (size_t i = 0; i < n && r == 0; i++) {
		if ((unsigned)keep[i] > next)
			r = (int)syscall(SYS_close_range, next, (unsigned)keep[i] - 1, 0);
		next = (unsigned)keep[i] + 1;
	}
	if (r == 0)
		r = (int)syscall(SYS_close_range, next, ~0U, 0);
	return r < 0 ? err_sys(e, errno, "cannot close descriptors") : 0;
}

static int give_up_rights(uint64_t caps, struct err *e)
{
	struct cap_sets own = { 0 }, want = { 0 };
	const struct user root = { 0 };
	int r = caps_get(&own);

	if (r < 0)
		return err_sys(e, -r, "cannot read the capabilities");
	want.permitted = own.permitted & caps;
	want.bounding = want.effective = want.permitted;
	r = rights_become(&root, &want, e);
	if (r == 0 && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		r = err_sys(e, errno, "cannot set no_new_privs");
	/* last: a change of rights clears it */
	if (r == 0 && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		r = err_sys(e, errno, "cannot tie the process to its monitor");
	return r;
}

int ours_become(const struct launch *l, int *keep, size_t n, uint64_t caps, struct err *e)
{
	int r = set_stdio(l, e);

	if (r == 0)
		r = close_all_but(keep, n, e);
	return r == 0 ? give_up_rights(caps, e) : r;
}

int hold_become(const struct launch *l, struct err *e)
{
	int report = l->report, r = ours_become(l, &report, 1, 0, e);

	if (r < 0)
		return r;
	close(l->report); /* without a word: it runs */
	for (;;)
		pause();
}

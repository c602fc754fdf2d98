/* net_release.c - an instance does not run any more: what it had on networks goes */
#include <poll.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/net_int.h"

#define BUSY_WAIT_S  30
#define BUSY_POLL_MS 10

static int release(struct net_work *w, const char *instance, bool links, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	struct lease *list = NULL;
	size_t n = 0;
	int r = lease_list(w->en->db, NULL, instance, &list, &n, e);

	for (size_t i = 0; i < n; i++)
		w->world.gone(w->world.arg, &list[i]);
	leases_free(list, n);
	if (r == 0)
		r = net_close_gone(w, e);
	if (r == 0)
		r = db_begin_live(w->en->db, &tx, e);
	if (r == 0)
		r = lease_remove(w->en->db, NULL, instance, e);
	return r < 0 ? r : net_commit_closed(w, &tx, links, e);
}

static int has_rows(struct engine *en, const char *instance, struct err *e)
{
	struct lease *list;
	size_t n;
	int r = lease_list(en->db, NULL, instance, &list, &n, e);

	if (r < 0)
		return r;
	leases_free(list, n);
	return n > 0;
}

int net_release_held(struct engine *en, const char *instance, bool links, struct err *e)
{
	AUTO(net_end) struct net_work w = NET_WORK_NONE;
	int r = has_rows(en, instance, e);

	if (r <= 0)
		return r;
	r = net_begin(en, &w, e);
	return r < 0 ? r : release(&w, instance, links, e);
}

/* 1: it was done; 0: somebody holds the lock of the instance. */
static int try_release(struct engine *en, const char *instance, struct err *e)
{
	AUTO(net_end) struct net_work w = NET_WORK_NONE;
	int r = net_begin(en, &w, e);

	/* who starts it has its lock before he waits for ours */
	if (r < 0 || truth_is_locked(en, instance))
		return r;
	r = release(&w, instance, true, e);
	return r < 0 ? r : 1;
}

/* Has it been started again?  Then its rows are new ones. */
static bool runs_again(struct engine *en, const char *instance)
{
	AUTO(instance_done) struct instance in = { 0 };

	return record_find(en->db, instance, &in.spec, NULL) == 0 && truth_refresh(en, &in, NULL) == 0 &&
	       instance_is_live(&in.state);
}

int network_release(struct engine *en, const char *instance, struct err *e)
{
	int64_t end = clock_mono_ns() + BUSY_WAIT_S * NS_PER_S;
	int r = has_rows(en, instance, e);

	if (r <= 0)
		return r;
	/* a command that removes it, or looks at it, holds the lock for a moment */
	while ((r = try_release(en, instance, e)) == 0 && !runs_again(en, instance) && clock_mono_ns() < end)
		poll(NULL, 0, BUSY_POLL_MS);
	return r < 0 ? r : 0;
}

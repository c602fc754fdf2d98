/* net_release.c - an instance does not run any more: what it had on networks goes */
#include "base/auto.h"
#include "engine/net_int.h"

static int release(struct net_work *w, const char *instance, bool links, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	struct lease *list = NULL;
	size_t n = 0;
	int r = db_begin(w->en->db, &tx, e);

	if (r == 0)
		r = lease_list(w->en->db, NULL, instance, &list, &n, e);
	for (size_t i = 0; i < n; i++)
		w->world.gone(w->world.arg, &list[i]);
	leases_free(list, n);
	if (r == 0)
		r = lease_remove(w->en->db, NULL, instance, e);
	if (r == 0)
		r = db_commit(&tx, e);
	return r < 0 ? r : net_clear_gone(w, links, e);
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
	AUTO(net_end) struct net_work w = { .lock = -1, .rt = -1 };
	int r = has_rows(en, instance, e);

	if (r <= 0)
		return r;
	r = net_begin(en, &w, e);
	return r < 0 ? r : release(&w, instance, links, e);
}

int network_release(struct engine *en, const char *instance, struct err *e)
{
	AUTO(net_end) struct net_work w = { .lock = -1, .rt = -1 };
	int r = has_rows(en, instance, e);

	if (r <= 0)
		return r;
	r = net_begin(en, &w, e);
	/* somebody may have started it again; who starts it has its lock before he waits for ours */
	if (r < 0 || truth_is_locked(en, instance))
		return r;
	return release(&w, instance, true, e);
}

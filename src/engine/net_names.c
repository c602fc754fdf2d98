/* net_names.c - the processes of a network are started and ended: its name service, which is told who is there, and its pool
 *
 * Under the lock of the run root.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/net_int.h"
#include "network/names.h"
#include "network/pool.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static char *bare(const char *address)
{
	return address ? strndup(address, strcspn(address, "/")) : NULL;
}

/* Borrows but for the addresses and the lists. */
static int name_entry(const struct lease *l, struct names_entry *ret)
{
	*ret = (struct names_entry){ .instance = l->instance,
				     .address = bare(l->port.address),
				     .address6 = bare(l->port.address6),
				     .mac = l->port.mac,
				     .egress = l->egress,
				     .egress_given = l->egress_given,
				     .egress_learn = l->egress_learn,
				     .dhcp = l->dhcp };
	if ((l->port.address && !ret->address) || (l->port.address6 && !ret->address6))
		return -ENOMEM;
	return strv_copy(&ret->names, &l->names);
}

/* One of another network: its names, and with that network behind them.  It is no client here. */
static int name_other(const struct lease *l, const struct network *of, struct names_entry *ret)
{
	int r = 0;

	*ret = (struct names_entry){ .instance = l->instance,
				     .network = l->network,
				     .address = bare(l->port.address),
				     .address6 = bare(l->port.address6) };
	if ((l->port.address && !ret->address) || (l->port.address6 && !ret->address6))
		return -ENOMEM;
	r = strv_copy(&ret->names, &l->names);
	for (size_t i = 0; i < l->names.n && r == 0; i++)
		r = strv_addf(&ret->names, "%s.%s", l->names.v[i], of->name);
	return r;
}

static void names_free(struct names_file *f)
{
	for (size_t i = 0; i < f->n_entries; i++) {
		free(f->entries[i].address);
		free(f->entries[i].address6);
		strv_done(&f->entries[i].names);
		strv_done(&f->entries[i].also);
	}
	free(f->entries);
}

/* Who of this network is on that of the row, too, sees it. */
static int show(struct names_file *f, size_t n_own, const struct lease *l)
{
	for (size_t i = 0; i < n_own; i++)
		if (!strcmp(f->entries[i].instance, l->instance))
			return strv_add(&f->entries[i].also, l->network);
	return 0;
}

/* One that was started: the monitor of the instance asks it how that went, before the workload begins. */
static int give_ready(struct net_work *w, const struct network *n, int ready, struct err *e)
{
	autofree char *name = str_printf("names/%s", n->name);
	int fd = fd_move_above_stdio(ready);

	if (fd >= 0 && name && boot_add_fd(w->boot, name, fd) == 0)
		return 0;
	if (fd >= 0)
		close(fd);
	return no_memory(e);
}

/* Rows of a network, and behind them those of others that are to be seen from it (lease_list_beside). */
struct rows {
	struct lease *v;
	size_t n, n_own;
};

static void rows_done(struct rows *rows)
{
	leases_free(rows->v, rows->n);
}

static int add_others(struct net_work *w, struct names_file *f, const struct rows *rows, struct err *e)
{
	AUTO(network_done) struct network of = { 0 };
	int r = 0;

	for (size_t i = rows->n_own; i < rows->n && r == 0; i++) {
		const struct lease *l = &rows->v[i];

		if (!of.id || strcmp(of.id, l->network) != 0) {
			network_done(&of);
			r = network_record_find(w->en->db, l->network, &of, e);
		}
		if (r == 0 && name_other(l, &of, &f->entries[f->n_entries++]) < 0)
			r = no_memory(e);
	}
	return r;
}

static int fill(struct net_work *w, struct names_file *f, const struct rows *rows, struct err *e)
{
	int r = 0;

	f->entries = calloc(rows->n + 1, sizeof(*f->entries));
	if (!f->entries)
		return no_memory(e);
	for (size_t i = 0; i < rows->n_own && r == 0; i++)
		r = name_entry(&rows->v[i], &f->entries[f->n_entries++]);
	for (size_t i = rows->n_own; i < rows->n && r == 0; i++)
		r = show(f, rows->n_own, &rows->v[i]);
	return r < 0 ? no_memory(e) : add_others(w, f, rows, e);
}

static int serve(struct net_work *w, int dir, const struct network *n, const struct rows *rows, struct err *e)
{
	AUTO(names_free)
	struct names_file f = { .network = n->name,
				.bridge = n->bridge,
				.gateway = n->v4.gateway,
				.gateway6 = n->v6.gateway,
				.subnet = n->v4.subnet,
				.subnet6 = n->v6.subnet,
				.internal = n->internal,
				.upstream = n->dns,
				.table = w->wall.table,
				.mtu = n->mtu };
	int r, ready = -1;

	r = fill(w, &f, rows, e);
	if (r == 0)
		r = names_write(dir, &f, e);
	if (r == 0)
		r = names_ensure(dir, w->en->instances_fd, &f, w->boot ? &ready : NULL, e);
	return r == 0 && ready >= 0 ? give_ready(w, n, ready, e) : r;
}

/* Makes nothing: who is killed here leaves no directory that the one before had removed. */
static int end_service(struct net_work *w, const struct network *n, struct err *e)
{
	autoclose int dir = openat(w->dir, n->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	int r;

	if (dir >= 0)
		pool_end(dir);
	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "%s/networks/%s", w->en->run_root, n->id);
	r = names_end(dir, e);
	if (r == 0)
		remove_tree(w->dir, n->id);
	return r;
}

static int run_service(struct net_work *w, const struct network *n, const struct rows *rows, struct err *e)
{
	autoclose int dir = mkdir_open(w->dir, n->id, 0700);
	int r;

	if (dir < 0)
		return err_sys(e, -dir, "%s/networks/%s", w->en->run_root, n->id);
	r = serve(w, dir, n, rows, e);
	return r < 0 ? r : pool_ensure(dir, n, e);
}

/* A change of names: whose rows are about to go, and the networks that have been told. */
struct renewal {
	const struct lease *gone;
	size_t n_gone;
	struct strv told;
};

static bool is_gone(const struct renewal *c, const struct lease *l)
{
	for (size_t i = 0; i < c->n_gone; i++)
		if (!strcmp(c->gone[i].instance, l->instance) && !strcmp(c->gone[i].network, l->network))
			return true;
	return false;
}

/* Those that stay; the networks of all go into *ret_near. */
static int read_rows(struct net_work *w, const struct network *n, const struct renewal *c, struct rows *ret,
		     struct strv *ret_near, struct err *e)
{
	size_t kept = 0, all;
	int r = lease_list_beside(w->en->db, n->id, &ret->v, &all, e);

	if (r < 0)
		return r;
	ret->n = all;
	for (size_t i = 0; i < all; i++) {
		struct lease l = ret->v[i];

		ret->v[i] = (struct lease){ 0 };
		if (!strv_has(ret_near, l.network) && strv_add(ret_near, l.network) < 0)
			r = no_memory(e);
		if (is_gone(c, &l)) {
			lease_done(&l);
			continue;
		}
		ret->n_own += !strcmp(l.network, n->id);
		ret->v[kept++] = l;
	}
	ret->n = kept;
	return r;
}

/* The service of one network. */
static int tell(struct net_work *w, const struct network *n, const struct renewal *c, struct strv *ret_near,
		struct err *e)
{
	AUTO(rows_done) struct rows rows = { 0 };
	int r = read_rows(w, n, c, &rows, ret_near, e);

	if (r < 0 || !n->bridge)
		return r;
	return rows.n_own ? run_service(w, n, &rows, e) : end_service(w, n, e);
}

/* And of those beside it.  n: may be NULL, it is looked up then. */
static int tell_all(struct net_work *w, const char *id, const struct network *n, struct renewal *c,
		    struct err *e)
{
	AUTO(strv_done) struct strv near = { 0 }, ignored = { 0 };
	int r = strv_add(&near, id) < 0 ? no_memory(e) : 0;

	for (size_t i = 0; i < near.n && r == 0; i++) {
		AUTO(network_done) struct network found = { 0 };
		const struct network *one = i || !n ? &found : n;

		if (strv_has(&c->told, near.v[i]))
			continue;
		if (one == &found)
			r = network_record_find(w->en->db, near.v[i], &found, e);
		if (r == 0)
			r = strv_add(&c->told, near.v[i]) < 0 ? no_memory(e) : 0;
		if (r == 0)
			r = tell(w, one, c, i ? &ignored : &near, e);
	}
	return r;
}

int net_renew_names(struct net_work *w, const struct network *n, struct err *e)
{
	struct renewal c = { 0 };
	int r = tell_all(w, n->id, n, &c, e);

	strv_done(&c.told);
	return r;
}

int net_leave_names(struct net_work *w, const struct lease *gone, size_t n_gone, struct err *e)
{
	struct renewal c = { .gone = gone, .n_gone = n_gone };
	int r = 0;

	for (size_t i = 0; i < n_gone; i++) {
		struct err why;
		int k = tell_all(w, gone[i].network, NULL, &c, &why);

		if (k < 0 && k != -ENOENT && r == 0) /* the network itself may be gone */
			r = e ? (*e = why, k) : k;
	}
	strv_done(&c.told);
	return r;
}

/* It was killed: a look at the network is enough to have it back. */
void net_mend_names(struct net_work *w, const struct network *n)
{
	autoclose int dir = n->bridge ? mkdir_open(w->dir, n->id, 0700) : -1;

	if (dir >= 0 && (!names_lives(dir) || (n->pool && !pool_lives(dir))))
		net_renew_names(w, n, NULL);
}

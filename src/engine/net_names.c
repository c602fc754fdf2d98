/* net_names.c - the name service of a network is told who is there, started and ended; under the lock of the run root */
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

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static char *bare(const char *address)
{
	return address ? strndup(address, strcspn(address, "/")) : NULL;
}

/* Borrows but for the addresses. */
static int name_entry(const struct lease *l, struct names_entry *ret)
{
	*ret = (struct names_entry){ .instance = l->instance,
				     .names = l->names,
				     .address = bare(l->port.address),
				     .address6 = bare(l->port.address6),
				     .mac = l->port.mac,
				     .egress = l->egress,
				     .egress_given = l->egress_given,
				     .egress_learn = l->egress_learn,
				     .dhcp = l->dhcp };
	return (l->port.address && !ret->address) || (l->port.address6 && !ret->address6) ? -ENOMEM : 0;
}

static void names_free(struct names_file *f)
{
	for (size_t i = 0; i < f->n_entries; i++) {
		free(f->entries[i].address);
		free(f->entries[i].address6);
	}
	free(f->entries);
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

static int serve(struct net_work *w, int dir, const struct network *n, const struct lease *list, size_t count,
		 struct err *e)
{
	char table[NET_TABLE_MAX];
	AUTO(names_free)
	struct names_file f = { .network = n->name,
				.bridge = n->bridge,
				.gateway = n->v4.gateway,
				.gateway6 = n->v6.gateway,
				.subnet = n->v4.subnet,
				.subnet6 = n->v6.subnet,
				.internal = n->internal,
				.upstream = n->dns,
				.table = table,
				.mtu = n->mtu };
	int r = 0, ready = -1;

	net_table(w->en, table);
	f.entries = calloc(count + 1, sizeof(*f.entries));
	if (!f.entries)
		return no_memory(e);
	for (size_t i = 0; i < count && r == 0; i++, f.n_entries++)
		r = name_entry(&list[i], &f.entries[i]);
	if (r < 0)
		return no_memory(e);
	r = names_write(dir, &f, e);
	if (r == 0)
		r = names_ensure(dir, w->en->instances_fd, &f, w->boot ? &ready : NULL, e);
	return r == 0 && ready >= 0 ? give_ready(w, n, ready, e) : r;
}

/* Without those of one instance, which is about to go; NULL: all. */
static size_t drop_rows(struct lease *list, size_t count, const char *instance)
{
	size_t kept = 0;

	for (size_t i = 0; i < count; i++) {
		if (instance && !strcmp(list[i].instance, instance)) {
			lease_done(&list[i]);
			continue;
		}
		if (kept != i)
			list[kept] = list[i];
		kept++;
	}
	return kept;
}

int net_renew_names(struct net_work *w, const struct network *n, struct err *e)
{
	return net_leave_names(w, n, NULL, e);
}

/* Makes nothing: who is killed here leaves no directory that the one before had removed. */
static int end_service(struct net_work *w, const struct network *n, struct err *e)
{
	autoclose int all = net_dir(w->en, NULL), dir = -1;
	int r;

	dir = all < 0 ? -1 : openat(all, n->id, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return errno == ENOENT ? 0 : err_sys(e, errno, "%s/networks/%s", w->en->run_root, n->id);
	r = names_end(dir, e);
	if (r == 0)
		remove_tree(all, n->id);
	return r;
}

static int run_service(struct net_work *w, const struct network *n, const struct lease *list, size_t count,
		       struct err *e)
{
	autoclose int dir = net_dir(w->en, n->id);

	if (dir < 0)
		return err_sys(e, -dir, "%s/networks/%s", w->en->run_root, n->id);
	return serve(w, dir, n, list, count, e);
}

int net_leave_names(struct net_work *w, const struct network *n, const char *instance, struct err *e)
{
	struct lease *list;
	size_t count;
	int r;

	if (!n->bridge)
		return 0;
	r = lease_list(w->en->db, n->id, NULL, &list, &count, e);
	if (r < 0)
		return r;
	count = drop_rows(list, count, instance);
	r = count ? run_service(w, n, list, count, e) : end_service(w, n, e);
	leases_free(list, count);
	return r;
}

/* It was killed: a look at the network is enough to have it back. */
void net_mend_names(struct net_work *w, const struct network *n)
{
	autoclose int dir = n->bridge ? net_dir(w->en, n->id) : -1;

	if (dir >= 0 && !names_lives(dir))
		net_renew_names(w, n, NULL);
}

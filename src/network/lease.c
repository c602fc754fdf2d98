/* lease.c - what instances have been given on networks: rows, and which address is next */
#include "network/lease.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "network/plan.h"

/* --- rows */

/* The columns network, instance, boot, spec. */
static int parse_row(const struct db_stmt *st, void *ret, struct err *e)
{
	const char *json = db_text(st, 3);
	struct lease l = { 0 };
	int r = json_parse(&lease_table, json, strlen(json), 0, &l, e);

	if (r == 0) {
		l.network = strdup(db_text(st, 0));
		l.instance = strdup(db_text(st, 1));
		l.boot = strdup(db_text(st, 2));
		if (!l.network || !l.instance || !l.boot)
			r = err_set(e, ENOMEM, "out of memory");
	}
	if (r < 0) {
		lease_done(&l);
		return err_wrap(e, r, "record of a lease");
	}
	*(struct lease *)ret = l;
	return 0;
}

static void row_done(void *row)
{
	lease_done(row);
}

static const struct db_rows rows = { .size = sizeof(struct lease), .parse = parse_row, .done = row_done };

int lease_list(struct db *db, const char *network, const char *instance, struct lease **ret, size_t *ret_n,
	       struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(
		db, "SELECT network, instance, boot, spec FROM lease WHERE network = ifnull(?, network)"
		    " AND instance = ifnull(?, instance) ORDER BY instance, spec ->> '$.port.name'");

	db_bind_text(&st, network);
	db_bind_text(&st, instance);

	return db_list(&st, &rows, ret, ret_n, e);
}

int lease_list_beside(struct db *db, const char *network, struct lease **ret, size_t *ret_n, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "SELECT network, instance, boot, spec FROM lease WHERE network = ?1 OR network IN"
			   " (SELECT other.network FROM lease AS own JOIN lease AS other USING (instance)"
			   " WHERE own.network = ?1) ORDER BY network <> ?1, network, instance");

	db_bind_text(&st, network);
	return db_list(&st, &rows, ret, ret_n, e);
}

/* Without parsing the rows: each start asks this. */
int lease_any_peer(struct db *db, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "SELECT 1 FROM lease WHERE instr(spec, '\"peer\"') LIMIT 1");

	return db_step(&st, e);
}

int lease_remove(struct db *db, const char *network, const char *instance, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "DELETE FROM lease WHERE network = ifnull(?, network) AND instance = ?");

	db_bind_text(&st, network);
	db_bind_text(&st, instance);
	return db_run(&st, e);
}

/* "10.88.0.5" out of "10.88.0.5/16"; NULL stays NULL. */
static char *without_prefix(const char *address)
{
	return address ? strndup(address, strcspn(address, "/")) : NULL;
}

static int add_row(struct db *db, const struct lease *l, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(db, "INSERT INTO lease (network, instance, boot, address, address6, mac, spec)"
			   " VALUES (?, ?, ?, ?, ?, ?, ?)");
	autofree char *address = without_prefix(l->port.address),
		      *address6 = without_prefix(l->port.address6);
	AUTO(buf_done) struct buf json = { 0 };

	if (json_print(&lease_table, l, 0, &json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, l->network);
	db_bind_text(&st, l->instance);
	db_bind_text(&st, l->boot);
	db_bind_text(&st, address);
	db_bind_text(&st, address6);
	db_bind_text(&st, l->port.mac);
	db_bind_text(&st, json.data);
	return db_run(&st, e);
}

int lease_change(struct db *db, const struct lease *l, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(db, "UPDATE lease SET spec = ? WHERE network = ? AND instance = ?");
	AUTO(buf_done) struct buf json = { 0 };

	if (json_print(&lease_table, l, 0, &json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, json.data);
	db_bind_text(&st, l->network);
	db_bind_text(&st, l->instance);
	return db_run(&st, e);
}

/* --- whose */

static bool is_dead(const struct lease_world *w, const struct lease *l)
{
	return strcmp(l->boot, w->boot) != 0 || !w->is_live(w->arg, l->instance);
}

static int drop(struct db *db, const struct lease *l, const struct lease_world *w, struct err *e)
{
	int r = lease_remove(db, l->network, l->instance, e);

	if (r == 0)
		w->gone(w->arg, l);
	return r;
}

int lease_sweep(struct db *db, const char *network, const struct lease_world *w, struct err *e)
{
	struct lease *all;
	size_t n;
	int r = lease_list(db, network, NULL, &all, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		if (is_dead(w, &all[i]))
			r = drop(db, &all[i], w, e);
	leases_free(all, n);
	return r;
}

/* --- which */

/* One taking of a lease. */
struct taking {
	struct db *db;
	const struct network *n;
	const char *instance;
	const struct lease_world *w;
	struct net_port before; /* what this instance had */
	bool swept;
};

static int compare(const void *a, const void *b)
{
	return ip_compare(a, b);
}

static int parse_address(const struct db_stmt *st, void *ret, struct err *e)
{
	return ip_parse(db_text(st, 0), ret);
}

static int list_used(const struct taking *t, int family, struct ip **ret, size_t *ret_n, struct err *e)
{
	static const struct db_rows addresses = { .size = sizeof(struct ip),
						  .parse = parse_address,
						  .skip_damaged = true };
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(t->db, family == AF_INET
				      ? "SELECT address FROM lease WHERE network = ? AND address NOT NULL"
				      : "SELECT address6 FROM lease WHERE network = ? AND address6 NOT NULL");
	int r;

	db_bind_text(&st, t->n->id);
	r = db_list(&st, &addresses, ret, ret_n, e);
	if (r == 0 && *ret_n)
		qsort(*ret, *ret_n, sizeof(**ret), compare);
	return r;
}

/* Is an address or MAC of this column somebody's who runs?  Of one who does not it is taken away. */
static int check_free(const struct taking *t, const char *column, const char *value, const char *what,
		      struct err *e)
{
	autofree char *sql = str_printf(
		"SELECT network, instance, boot, spec FROM lease WHERE network = ? AND %s = ?", column);
	AUTO(db_stmt_done) struct db_stmt st = db_sql(t->db, sql ? sql : "");
	AUTO(lease_done) struct lease l = { 0 };
	int r;

	db_bind_text(&st, t->n->id);
	db_bind_text(&st, value);
	r = db_step(&st, e);
	if (r > 0)
		r = parse_row(&st, &l, e);
	if (r < 0 || !l.instance)
		return r;
	if (is_dead(t->w, &l))
		return drop(t->db, &l, t->w, e);
	return err_set(e, EADDRINUSE, "%s %s: instance %.12s has it on network %s", what, value, l.instance,
		       t->n->name);
}

static int next_free(struct taking *t, int family, struct ip *ret, struct err *e)
{
	const struct network_pool *pool = family == AF_INET ? &t->n->v4 : &t->n->v6;
	struct ip *used = NULL;
	size_t n;
	int r = list_used(t, family, &used, &n, e);

	if (r < 0)
		return r;
	r = plan_address(pool, used, n, ret);
	free(used);
	if (r == -ENOSPC && !t->swept) {
		t->swept = true;
		r = lease_sweep(t->db, t->n->id, t->w, e);
		return r < 0 ? r : next_free(t, family, ret, e);
	}
	return r < 0 ? err_set(e, -r, "no available %s addresses on this network's address pools: %s",
			       family == AF_INET ? "IPv4" : "IPv6", t->n->name)
		     : 0;
}

/* What it had is still good where the network has not been made anew. */
static bool keeps(const struct taking *t, int family, const char *before, struct ip *ret)
{
	const struct network_pool *pool = family == AF_INET ? &t->n->v4 : &t->n->v6;
	struct ip_prefix p, net;

	if (!before || ip_parse_prefix(before, &p) < 0 || ip_parse_prefix(pool->subnet, &net) < 0 ||
	    !ip_contains(&net, &p.ip))
		return false;
	*ret = p.ip;
	return true;
}

/* One family: *ret_text becomes "ADDRESS/BITS" of the subnet; *ret its bytes. */
static int take_family(struct taking *t, int family, const char *asked, char **ret_text, struct ip *ret,
		       struct err *e)
{
	const struct network_pool *pool = family == AF_INET ? &t->n->v4 : &t->n->v6;
	const char *flag = family == AF_INET ? "--ip" : "--ip6";
	char text[IP_TEXT_MAX];
	struct ip_prefix p;
	int r;

	if (asked && ip_parse(asked, &p.ip) < 0)
		return err_set(e, EINVAL, "%s %.60s: it is not an address", flag, asked);
	if (asked)
		r = plan_check_address(t->n, &p.ip, flag, e);
	else if (!pool->subnet)
		return 0;
	else
		r = keeps(t, family, family == AF_INET ? t->before.address : t->before.address6, &p.ip)
			    ? 0
			    : next_free(t, family, &p.ip, e);
	if (r == 0)
		r = check_free(t, family == AF_INET ? "address" : "address6", ip_print(&p.ip, text), flag, e);
	if (r < 0)
		return r;
	p.bits = (unsigned)strtoul(strchr(pool->subnet, '/') + 1, NULL, 10);
	*ret = p.ip;
	*ret_text = strdup(ip_print_prefix(&p, text));
	return *ret_text ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_mac(struct taking *t, const char *asked, const struct ip *v4, const struct ip *v6, char **ret,
		    struct err *e)
{
	uint8_t mac[6];
	char text[18];

	if (!asked)
		plan_mac(v4->family ? v4 : v6, mac);
	else if (mac_parse(asked, mac) < 0 || mac[0] & 1)
		return err_set(e, EINVAL, "--mac-address %.40s: it is not the address of one card", asked);
	*ret = strdup(mac_print(mac, text));
	return *ret ? check_free(t, "mac", *ret, "--mac-address", e) : err_set(e, ENOMEM, "out of memory");
}

/* Its own row is taken out, so that it is in nobody's way. */
static int take_before(struct taking *t, struct err *e)
{
	struct lease *own;
	size_t n;
	int r = lease_list(t->db, t->n->id, t->instance, &own, &n, e);

	if (r < 0)
		return r;
	if (n) {
		r = drop(t->db, own, t->w, e);
		t->before = own->port;
		own->port = (struct net_port){ 0 };
	}
	leases_free(own, n);
	return r;
}

static int name_row(struct lease *l, const struct network *n, const struct lease_world *w, struct err *e)
{
	l->network = strdup(n->id);
	l->boot = strdup(w->boot);
	return l->network && l->boot ? 0 : err_set(e, ENOMEM, "out of memory");
}

int lease_take(struct db *db, const struct network *n, const struct net_attachment *a,
	       const struct lease_world *w, struct lease *l, struct err *e)
{
	struct taking t = { .db = db, .n = n, .instance = l->instance, .w = w };
	struct ip v4 = { 0 }, v6 = { 0 };
	int r = take_before(&t, e);

	if (r == 0)
		r = name_row(l, n, w, e);
	if (r == 0)
		r = take_family(&t, AF_INET, a->ip, &l->port.address, &v4, e);
	if (r == 0)
		r = take_family(&t, AF_INET6, a->ip6, &l->port.address6, &v6, e);
	if (r == 0)
		r = take_mac(&t, a->mac, &v4, &v6, &l->port.mac, e);
	if (r == 0)
		r = add_row(db, l, e);
	json_done(&net_port_table, &t.before);
	return r;
}

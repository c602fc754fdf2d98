/* test_lease.c - addresses are given once, kept by who runs, and taken over from who does not */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/path.h"
#include "network/lease.h"

static char dir[] = "/tmp/ketch-lease.XXXXXX";
static struct db *db;
static const char *dead; /* the instance that does not run */
static char gone[256];

static struct network net = {
	.id = (char[]){ "0123456789abcdef0123456789abcdef" },
	.name = (char[]){ "web" },
	.v4 = { (char[]){ "10.9.0.0/29" }, (char[]){ "10.9.0.1" }, NULL },
	.v6 = { (char[]){ "fd00::/64" }, (char[]){ "fd00::1" }, NULL },
};

static bool is_live(void *arg, const char *instance)
{
	return !dead || strcmp(instance, dead) != 0;
}

static void note_gone(void *arg, const struct lease *l)
{
	snprintf(gone, sizeof(gone), "%s %s", l->instance, l->port.address);
}

static struct lease_world world = { .boot = "boot-1", .is_live = is_live, .gone = note_gone };

static int take(const char *instance, const struct net_attachment *a, char ret[64], struct err *e)
{
	const struct net_attachment any = { 0 };
	AUTO(lease_done) struct lease l = { .instance = strdup(instance) };
	int r;

	l.port.name = strdup("eth0");
	l.port.link = strdup("kv-0");
	r = lease_take(db, &net, a ? a : &any, &world, &l, e);
	if (r == 0)
		snprintf(ret, 64, "%s %s %s", l.port.address, l.port.address6, l.port.mac);
	return r;
}

static int set_up(void **state)
{
	struct err e;

	dead = NULL;
	world.boot = "boot-1";
	*gone = '\0';
	memcpy(dir + strlen(dir) - 6, "XXXXXX", 6);
	if (!mkdtemp(dir) || db_open(dir, &db, &e) < 0 || network_record_init(db, &e) < 0)
		return -1;
	return network_record_add(db, &net, &e);
}

static int tear_down(void **state)
{
	db = db_close(db);
	return remove_tree(-100, dir);
}

static void addresses_are_unique_and_the_card_follows_them(void **state)
{
	char a[64], b[64];
	struct err e;

	assert_int_equal(take("a", NULL, a, &e), 0);
	assert_int_equal(take("b", NULL, b, &e), 0);
	assert_string_equal(a, "10.9.0.2/29 fd00::2/64 02:42:0a:09:00:02");
	assert_string_equal(b, "10.9.0.3/29 fd00::3/64 02:42:0a:09:00:03");
}

static void who_takes_again_keeps_what_he_had(void **state)
{
	char a[64], b[64];
	struct err e;

	assert_int_equal(take("a", NULL, a, &e), 0);
	assert_int_equal(take("b", NULL, b, &e), 0);
	assert_int_equal(lease_remove(db, NULL, "a", &e), 0);
	assert_int_equal(take("b", NULL, a, &e), 0);
	assert_string_equal(a, b);
	assert_string_equal(gone, "b 10.9.0.3/29");
}

static void an_address_of_one_who_runs_is_refused(void **state)
{
	const struct net_attachment asked = { .ip = (char[]){ "10.9.0.2" } },
				    card = { .mac = (char[]){ "02:42:0a:09:00:02" } };
	struct err e = { 0 };
	char a[64];

	assert_int_equal(take("a", NULL, a, &e), 0);
	assert_int_equal(take("b", &asked, a, &e), -EADDRINUSE);
	assert_non_null(strstr(e.msg, "--ip 10.9.0.2: instance a has it"));
	assert_int_equal(take("b", &card, a, &e), -EADDRINUSE);
	assert_non_null(strstr(e.msg, "--mac-address"));
	dead = "a";
	assert_int_equal(take("b", &asked, a, &e), 0);
	assert_string_equal(gone, "a 10.9.0.2/29");
}

static void when_none_is_left_the_dead_give_theirs(void **state)
{
	struct err e = { 0 };
	char a[64];

	for (const char *who = "abcde"; *who; who++)
		assert_int_equal(take((char[]){ *who, '\0' }, NULL, a, &e), 0);
	assert_int_equal(take("f", NULL, a, &e), -ENOSPC);
	assert_non_null(strstr(e.msg, "no available IPv4 addresses on this network's address pools: web"));
	dead = "c";
	assert_int_equal(take("f", NULL, a, &e), 0);
	assert_memory_equal(a, "10.9.0.4/29", 11);
}

static void a_start_of_the_host_ends_all_leases(void **state)
{
	struct lease *list;
	struct err e;
	char a[64];
	size_t n;

	assert_int_equal(take("a", NULL, a, &e), 0);
	world.boot = "boot-2";
	assert_int_equal(take("b", &(struct net_attachment){ .ip = (char[]){ "10.9.0.2" } }, a, &e), 0);
	assert_int_equal(lease_sweep(db, net.id, &world, &e), 0);
	assert_int_equal(lease_list(db, net.id, NULL, &list, &n, &e), 0);
	assert_int_equal(n, 1);
	assert_string_equal(list[0].instance, "b");
	assert_string_equal(list[0].boot, "boot-2");
	leases_free(list, n);
}

#define CASE(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		CASE(addresses_are_unique_and_the_card_follows_them),
		CASE(who_takes_again_keeps_what_he_had),
		CASE(an_address_of_one_who_runs_is_refused),
		CASE(when_none_is_left_the_dead_give_theirs),
		CASE(a_start_of_the_host_ends_all_leases),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_mount_options.c - every option of an OCI mount means what the spec says */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "container/mount_options.h"

#define ATIME MOUNT_ATTR__ATIME

/* An option changes these members and no other. */
struct row {
	const char *name;
	uint64_t set, clear, deep_set, deep_clear;
	unsigned long super;
	uint64_t propagation;
	bool deep, bind, deep_bind, remount, copy_up;
	int idmap;
};

static const struct row rows[] = {
	{ "ro", .set = MOUNT_ATTR_RDONLY },
	{ "rw", .clear = MOUNT_ATTR_RDONLY },
	{ "nosuid", .set = MOUNT_ATTR_NOSUID },
	{ "suid", .clear = MOUNT_ATTR_NOSUID },
	{ "nodev", .set = MOUNT_ATTR_NODEV },
	{ "dev", .clear = MOUNT_ATTR_NODEV },
	{ "noexec", .set = MOUNT_ATTR_NOEXEC },
	{ "exec", .clear = MOUNT_ATTR_NOEXEC },
	{ "nosymfollow", .set = MOUNT_ATTR_NOSYMFOLLOW },
	{ "symfollow", .clear = MOUNT_ATTR_NOSYMFOLLOW },
	{ "nodiratime", .set = MOUNT_ATTR_NODIRATIME },
	{ "diratime", .clear = MOUNT_ATTR_NODIRATIME },
	{ "noatime", .set = MOUNT_ATTR_NOATIME, .clear = ATIME },
	{ "atime", .clear = ATIME },
	{ "relatime", .clear = ATIME },
	{ "norelatime", .clear = ATIME },
	{ "strictatime", .set = MOUNT_ATTR_STRICTATIME, .clear = ATIME },
	{ "nostrictatime", .clear = ATIME },
	{ "rro", .deep_set = MOUNT_ATTR_RDONLY },
	{ "rrw", .deep_clear = MOUNT_ATTR_RDONLY },
	{ "rnosuid", .deep_set = MOUNT_ATTR_NOSUID },
	{ "rsuid", .deep_clear = MOUNT_ATTR_NOSUID },
	{ "rnodev", .deep_set = MOUNT_ATTR_NODEV },
	{ "rdev", .deep_clear = MOUNT_ATTR_NODEV },
	{ "rnoexec", .deep_set = MOUNT_ATTR_NOEXEC },
	{ "rexec", .deep_clear = MOUNT_ATTR_NOEXEC },
	{ "rnosymfollow", .deep_set = MOUNT_ATTR_NOSYMFOLLOW },
	{ "rsymfollow", .deep_clear = MOUNT_ATTR_NOSYMFOLLOW },
	{ "rnodiratime", .deep_set = MOUNT_ATTR_NODIRATIME },
	{ "rdiratime", .deep_clear = MOUNT_ATTR_NODIRATIME },
	{ "rnoatime", .deep_set = MOUNT_ATTR_NOATIME, .deep_clear = ATIME },
	{ "ratime", .deep_clear = ATIME },
	{ "rrelatime", .deep_clear = ATIME },
	{ "rnorelatime", .deep_clear = ATIME },
	{ "rstrictatime", .deep_set = MOUNT_ATTR_STRICTATIME, .deep_clear = ATIME },
	{ "rnostrictatime", .deep_clear = ATIME },
	{ "sync", .super = MS_SYNCHRONOUS },
	{ "async" },
	{ "dirsync", .super = MS_DIRSYNC },
	{ "mand", .super = MS_MANDLOCK },
	{ "nomand" },
	{ "lazytime", .super = MS_LAZYTIME },
	{ "nolazytime" },
	{ "iversion", .super = MS_I_VERSION },
	{ "noiversion" },
	{ "silent", .super = MS_SILENT },
	{ "loud" },
	{ "private", .propagation = MS_PRIVATE },
	{ "rprivate", .propagation = MS_PRIVATE, .deep = true },
	{ "slave", .propagation = MS_SLAVE },
	{ "rslave", .propagation = MS_SLAVE, .deep = true },
	{ "shared", .propagation = MS_SHARED },
	{ "rshared", .propagation = MS_SHARED, .deep = true },
	{ "unbindable", .propagation = MS_UNBINDABLE },
	{ "runbindable", .propagation = MS_UNBINDABLE, .deep = true },
	{ "bind", .bind = true },
	{ "rbind", .bind = true, .deep_bind = true },
	{ "remount", .remount = true },
	{ "tmpcopyup", .copy_up = true },
	{ "idmap", .idmap = IDMAP_TOP },
	{ "ridmap", .idmap = IDMAP_DEEP },
	{ "defaults" },
};

static void check(const struct row *r, const struct mount_options *o)
{
	assert_int_equal(o->set, r->set);
	assert_int_equal(o->clear, r->clear);
	assert_int_equal(o->deep_set, r->deep_set);
	assert_int_equal(o->deep_clear, r->deep_clear);
	assert_int_equal(o->super, r->super);
	assert_int_equal(o->n_propagations, r->propagation != 0);
	if (r->propagation) {
		assert_int_equal(o->propagations[0].type, r->propagation);
		assert_int_equal(o->propagations[0].deep, r->deep);
	}
	assert_int_equal(o->bind, r->bind);
	assert_int_equal(o->deep_bind, r->deep_bind);
	assert_int_equal(o->remount, r->remount);
	assert_int_equal(o->copy_up, r->copy_up);
	assert_int_equal(o->idmap, r->idmap);
	assert_string_equal(o->data, "");
}

static void every_option_changes_its_own_and_nothing_else(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(mount_options_done) struct mount_options o = { 0 };

		assert_int_equal(mount_options_parse(rows[i].name, &o), 0);
		check(&rows[i], &o);
	}
}

/* The table is searched by halves: each name is found, and in order. */
static void the_table_has_these_options_in_order(void **state)
{
	size_t n = 0;

	for (; mount_option_name(n); n++)
		if (n)
			assert_true(strcmp(mount_option_name(n - 1), mount_option_name(n)) < 0);
	assert_int_equal(n, ARRAY_LEN(rows));
	for (size_t i = 0; i < n; i++) {
		size_t k = 0;

		while (k < n && strcmp(rows[i].name, mount_option_name(k)))
			k++;
		if (k == n)
			fail_msg("%s is not among the names", rows[i].name);
	}
}

static void the_later_option_wins(void **state)
{
	static const struct {
		const char *text;
		uint64_t set, clear;
	} lists[] = {
		{ "ro,rw", 0, MOUNT_ATTR_RDONLY },
		{ "rw,ro", MOUNT_ATTR_RDONLY, 0 },
		{ "nosuid,suid,nosuid", MOUNT_ATTR_NOSUID, 0 },
		{ "noatime,strictatime", MOUNT_ATTR_STRICTATIME, ATIME },
		{ "strictatime,noatime", MOUNT_ATTR_NOATIME, ATIME },
		{ "noatime,atime", 0, ATIME },
		{ "noatime,relatime", 0, ATIME },
		{ "noatime,nostrictatime", MOUNT_ATTR_NOATIME, ATIME },
		{ "noatime,norelatime", MOUNT_ATTR_NOATIME, ATIME },
		{ "nosuid,noexec,nodev,ro",
		  MOUNT_ATTR_NOSUID | MOUNT_ATTR_NOEXEC | MOUNT_ATTR_NODEV | MOUNT_ATTR_RDONLY, 0 },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		AUTO(mount_options_done) struct mount_options o = { 0 };

		assert_int_equal(mount_options_parse(lists[i].text, &o), 0);
		if (o.set != lists[i].set || o.clear != lists[i].clear)
			fail_msg("%s: 0x%llx, 0x%llx", lists[i].text, (unsigned long long)o.set,
				 (unsigned long long)o.clear);
	}
}

static void what_is_no_option_of_mounts_is_the_file_systems(void **state)
{
	static const char *const lists[][2] = {
		{ "", "" },
		{ ",,", "" },
		{ "size=64k,mode=755", "size=64k,mode=755" },
		{ "nosuid,size=64k,ro,uid=5", "size=64k,uid=5" },
		{ "ROFL,ro", "ROFL" },
		{ "lowerdir=/a\\,ro:/b,ro", "lowerdir=/a\\,ro:/b" },
		{ "context=\"u:r:t:s0:c1,ro\",rw", "context=\"u:r:t:s0:c1,ro\"" },
		{ "a\\", "a\\" },
	};

	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		AUTO(mount_options_done) struct mount_options o = { 0 };

		assert_int_equal(mount_options_parse(lists[i][0], &o), 0);
		assert_string_equal(o.data, lists[i][1]);
	}
}

static void propagations_keep_their_order_and_have_an_end(void **state)
{
	AUTO(mount_options_done) struct mount_options o = { 0 }, none = { 0 };
	struct propagation p;

	assert_int_equal(mount_options_parse("rslave,shared", &o), 0);
	assert_int_equal(o.n_propagations, 2);
	assert_int_equal(o.propagations[0].type, MS_SLAVE);
	assert_int_equal(o.propagations[1].type, MS_SHARED);
	assert_false(o.propagations[1].deep);
	assert_int_equal(mount_options_parse("slave,slave,slave,slave,slave", &none), -E2BIG);
	assert_int_equal(propagation_parse("runbindable", &p), 0);
	assert_true(p.deep && p.type == MS_UNBINDABLE);
	assert_int_equal(propagation_parse("ro", &p), -EINVAL);
	assert_int_equal(propagation_parse("", &p), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_changes_its_own_and_nothing_else),
		cmocka_unit_test(the_table_has_these_options_in_order),
		cmocka_unit_test(the_later_option_wins),
		cmocka_unit_test(what_is_no_option_of_mounts_is_the_file_systems),
		cmocka_unit_test(propagations_keep_their_order_and_have_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

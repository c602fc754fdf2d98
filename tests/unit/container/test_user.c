/* test_user.c - the one parser of users against what must come out; any doubt is an error */
#include "../cm.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "container/user.h"

static const char passwd[] = "root:x:0:0:root:/root:/bin/sh\n"
			     "# a comment: x:0:0\n"
			     "\n"
			     "daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin\n"
			     "ann:x:1000:1001:Ann,,,:/home/ann:/bin/bash\n"
			     "toor:x:0:0::/toor:/bin/sh\n"
			     "nohome:x:1002:1002:::\n"
			     "relhome:x:1003:1003::home:/bin/sh\n"
			     "badid:x:10x:1::/:/bin/sh\n"
			     "neg:x:-1:1::/:/bin/sh\n"
			     "wrap:x:4294967296:0::/:/bin/sh\n"
			     "big:x:2147483648:0::/:/bin/sh\n"
			     "max:x:2147483647:2147483647::/:/bin/sh\n"
			     "nogid:x:1004::::\n"
			     "short:x:1005:1\n"
			     "long:x:1006:1006:a:/:b:c\n"
			     "twice:x:1007:1007::/:\n"
			     "twice:x:1008:1007::/:\n"
			     "same:x:1009:1009::/:\n"
			     "same:x:1009:1009::/other:\n"
			     "space: x:1010:1010::/:\n"
			     "plus:x:+1:1::/:\n"
			     "hex:x:0x10:1::/:\n"
			     "blank:x: 1:1::/:\n"
			     "777:x:1011:1011::/:\n"
			     "1012:x:1012:1012::/digits:\n"
			     "+nis::::::\n"
			     "last:x:1013:1013::/last:/bin/sh";

static const char group[] = "root:x:0:\n"
			    "daemon:x:1:\n"
			    "wheel:x:10:ann,root\n"
			    "audio:x:29:bob,ann,carl\n"
			    "video:x:44:annie,xann\n"
			    "ann:x:1001:\n"
			    "again:x:29:ann\n"
			    "badgid:x:1a:dora\n"
			    "bigg:x:4294967295:\n"
			    "two:x:50:\n"
			    "two:x:51:\n"
			    "88:x:89:\n"
			    "90:x:90:\n"
			    "shortg:x:60\n"
			    "longg:x:61:a:b\n"
			    "lastg:x:70:last";

/* expect: "UID:GID GROUPS HOME", or NULL for an error. */
static const struct {
	const char *spec, *groups, *expect;
} rows[] = {
	{ NULL, "", "0:0 10,0 /root" },
	{ "", "", "0:0 10,0 /root" },
	{ "root", "", "0:0 10,0 /root" },
	{ "0", "", "0:0 10,0 /root" },
	{ "00", "", "0:0 10,0 /root" },
	{ "toor", "", "0:0 0 /toor" },
	{ "daemon", "", "1:1 1 /usr/sbin" },
	{ "1", "", "1:1 1 /usr/sbin" },
	{ "ann", "", "1000:1001 10,29,1001 /home/ann" },
	{ "1000", "", "1000:1001 10,29,1001 /home/ann" },
	{ "0001000", "", "1000:1001 10,29,1001 /home/ann" },
	{ "ann:root", "", "1000:0 0 /home/ann" },
	{ "ann:0", "", "1000:0 0 /home/ann" },
	{ "ann:29", "", "1000:29 29 /home/ann" },
	{ "ann:audio", "", "1000:29 29 /home/ann" },
	{ "ann:12345", "", "1000:12345 12345 /home/ann" },
	{ "ann:90", "", "1000:90 90 /home/ann" },
	{ "ann:2147483647", "", "1000:2147483647 2147483647 /home/ann" },
	{ "54321", "", "54321:0 0 /" },
	{ "54321:29", "", "54321:29 29 /" },
	{ "54321:wheel", "", "54321:10 10 /" },
	{ "2147483647", "", "2147483647:2147483647 2147483647 /" },
	{ "nohome", "", "1002:1002 1002 /" },
	{ "relhome", "", "1003:1003 1003 /" },
	{ "same", "", "1009:1009 1009 /" },
	{ "1012", "", "1012:1012 1012 /digits" },
	{ "last", "", "1013:1013 70,1013 /last" },
	{ "max", "", "2147483647:2147483647 2147483647 /" },
	{ ":0", "", "0:0 0 /root" },
	{ ":5", "", "0:5 5 /root" },
	{ ":wheel", "", "0:10 10 /root" },
	{ ":5", "audio", "0:5 5,29 /root" },
	{ "ann", "wheel", "1000:1001 10,29,1001 /home/ann" },
	{ "ann", "video", "1000:1001 10,29,1001,44 /home/ann" },
	{ "ann", "7,8", "1000:1001 10,29,1001,7,8 /home/ann" },
	{ "54321", "daemon,29", "54321:0 0,1,29 /" },
	{ NULL, "audio", "0:0 10,0,29 /root" },
	/* not there */
	{ "bob", "", NULL },
	{ "Root", "", NULL },
	{ "ROOT", "", NULL },
	{ " root", "", NULL },
	{ "root ", "", NULL },
	{ "roo", "", NULL },
	{ "roott", "", NULL },
	{ "ann:nogroup", "", NULL },
	{ "ann", "nogroup", NULL },
	{ "ann:Wheel", "", NULL },
	{ "x", "", NULL },
	{ "# a comment", "", NULL },
	/* numbers that are none, or too large: never 0 */
	{ "-1", "", NULL },
	{ "+1", "", NULL },
	{ "1.0", "", NULL },
	{ "0x0", "", NULL },
	{ "0x10", "", NULL },
	{ "1e3", "", NULL },
	{ " 1", "", NULL },
	{ "1 ", "", NULL },
	{ "1\n", "", NULL },
	{ "1\t", "", NULL },
	{ "2147483648", "", NULL },
	{ "4294967295", "", NULL },
	{ "4294967296", "", NULL },
	{ "4294967297", "", NULL },
	{ "18446744073709551616", "", NULL },
	{ "99999999999999999999999999", "", NULL },
	{ "ann:-1", "", NULL },
	{ "ann:+1", "", NULL },
	{ "ann:2147483648", "", NULL },
	{ "ann:4294967295", "", NULL },
	{ "ann:4294967296", "", NULL },
	{ "ann:0x1", "", NULL },
	{ "ann: 1", "", NULL },
	{ "ann", "-1", NULL },
	{ "ann", "4294967296", NULL },
	/* shapes */
	{ ":", "", NULL },
	{ "::", "", NULL },
	{ ":5:", "", NULL },
	{ "::5", "", NULL },
	{ ":-1", "", NULL },
	{ ":4294967296", "", NULL },
	{ ":nogroup", "", NULL },
	{ "ann:", "", NULL },
	{ "ann::", "", NULL },
	{ "ann:1:2", "", NULL },
	{ "ann:wheel:audio", "", NULL },
	{ "0:", "", NULL },
	{ "a/b", "", NULL },
	{ "a,b", "", NULL },
	{ "a\nroot", "", NULL },
	{ "root:x:0:0", "", NULL },
	/* lines that cannot be trusted */
	{ "badid", "", NULL },
	{ "neg", "", NULL },
	{ "wrap", "", NULL },
	{ "big", "", NULL },
	{ "nogid", "", NULL },
	{ "short", "", NULL },
	{ "1005", "", NULL },
	{ "long", "", NULL },
	{ "twice", "", NULL },
	{ "plus", "", NULL },
	{ "hex", "", NULL },
	{ "blank", "", NULL },
	{ "777", "", NULL }, /* a number, and the name of somebody else */
	{ "ann:two", "", NULL },
	{ "ann:88", "", NULL },
	{ "ann:badgid", "", NULL },
	{ "ann:bigg", "", NULL },
	{ "ann:shortg", "", NULL },
	{ "ann:longg", "", NULL },
	{ "ann", "two", NULL },
	{ "ann", "", "1000:1001 10,29,1001 /home/ann" },
};

static struct buf text_buf(const char *s, size_t n)
{
	return (struct buf){ .data = (char *)(uintptr_t)s, .len = n };
}

static void print_user(const struct user *u, char *ret, size_t n)
{
	size_t at = (size_t)snprintf(ret, n, "%u:%u ", u->uid, u->gid);

	for (size_t i = 0; i < u->n_groups; i++)
		at += (size_t)snprintf(ret + at, n - at, "%s%u", i ? "," : "", u->groups[i]);
	snprintf(ret + at, n - at, " %s", u->home);
}

static void every_string_gives_what_it_must(void **state)
{
	struct buf pw = text_buf(passwd, sizeof(passwd) - 1), gr = text_buf(group, sizeof(group) - 1);

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct user u = { .uid = 12345 };
		struct strv groups = { 0 };
		char got[256] = "";
		struct err e = { 0 };
		int r;

		if (*rows[i].groups)
			assert_int_equal(strv_split(&groups, rows[i].groups, ","), 0);
		r = user_parse(rows[i].spec, &groups, &pw, &gr, &u, &e);
		if (r == 0)
			print_user(&u, got, sizeof(got));
		if ((r == 0) != (rows[i].expect != NULL) || (r == 0 && strcmp(got, rows[i].expect)))
			fail_msg("\"%s\" + \"%s\": got %s %s, want %s", rows[i].spec, rows[i].groups, got,
				 e.msg, rows[i].expect ? rows[i].expect : "an error");
		if (r < 0)
			assert_true(u.uid == 12345 && e.no == -r && *e.msg);
		else
			user_done(&u);
		strv_done(&groups);
	}
}

static void without_files_numbers_are_all_there_is(void **state)
{
	struct buf none = { 0 };
	struct strv no_groups = { 0 };
	struct user u;
	struct err e;

	assert_int_equal(user_parse(NULL, &no_groups, &none, &none, &u, &e), 0);
	assert_int_equal(u.uid, 0);
	user_done(&u);
	assert_int_equal(user_parse("7:8", &no_groups, &none, &none, &u, &e), 0);
	assert_true(u.uid == 7 && u.gid == 8);
	user_done(&u);
	assert_int_equal(user_parse("root", &no_groups, &none, &none, &u, &e), -ENOENT);
}

static void a_nul_byte_in_a_file_is_refused(void **state)
{
	static const char bad[] = "root:x:0:0::/:\0ann:x:1:1::/:\n";
	struct buf pw = text_buf(bad, sizeof(bad) - 1), none = { 0 };
	struct strv no_groups = { 0 };
	struct user u;
	struct err e;

	assert_int_equal(user_parse("root", &no_groups, &pw, &none, &u, &e), -EINVAL);
	assert_int_equal(user_parse("5", &no_groups, &none, &pw, &u, &e), -EINVAL);
}

static void a_user_in_too_many_groups_is_refused(void **state)
{
	struct buf pw = text_buf(passwd, sizeof(passwd) - 1), many = { 0 };
	struct strv no_groups = { 0 };
	struct user u;
	struct err e;

	for (int i = 0; i < USER_GROUPS_MAX + 1; i++)
		buf_addf(&many, "g%d:x:%d:ann\n", i, 5000 + i);
	assert_int_equal(user_parse("ann", &no_groups, &pw, &many, &u, &e), -E2BIG);
	buf_done(&many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_string_gives_what_it_must),
		cmocka_unit_test(without_files_numbers_are_all_there_is),
		cmocka_unit_test(a_nul_byte_in_a_file_is_refused),
		cmocka_unit_test(a_user_in_too_many_groups_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

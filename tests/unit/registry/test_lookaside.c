/* test_lookaside.c - registries.d: the longest scope with a place rules; what is not understood is refused, never passed over */
#include "../cm.h"

#include "base/auto.h"
#include "registry/lookaside.h"

static const char file[] = "# where signatures are\n"
			   "---\n"
			   "default-docker:\n"
			   "#  lookaside: https://no.example\n"
			   "  lookaside: https://all.example/sigs/\n"
			   "  lookaside-staging: file:///var/lib/containers/sigstore\n"
			   "docker:\r\n"
			   "    registry.example:5000:\r\n"
			   "        sigstore: file:///old\n"
			   "        use-sigstore-attachments: true\n"
			   "    registry.example:5000/team: # theirs\n"
			   "        sigstore: file:///old/team\n"
			   "        lookaside: \"file:///team dir\" # now\n"
			   "\n"
			   "    registry.example:5000/team/x:1:\n"
			   "        lookaside: http://one.example\n"
			   "    registry.example:5000/team/none:\n"
			   "    '*.wild.example':\n"
			   "        lookaside: 'https://wild.example'\n"
			   "other:\n"
			   "  lookaside: nothing\n";

static void is_at(const char *name, const char *tag, const char *want)
{
	AUTO(lookasides_done) struct lookasides l = { 0 };
	autofree char *url = NULL;
	struct err e = { 0 };

	if (lookaside_parse(file, strlen(file), &l, &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(lookaside_find(&l, name, tag, &url, &e), 0);
	assert_string_equal(url, want);
}

static void the_longest_scope_with_a_place_rules(void **state)
{
	is_at("docker.io/library/x", "1", "https://all.example/sigs/library/x");
	is_at("registry.example:5000/a/b", "1", "file:///old/a/b");
	is_at("registry.example:5000/team", NULL, "file:///team dir/team");
	is_at("registry.example:5000/team/x", "1", "http://one.example/team/x");
	is_at("registry.example:5000/team/x", "2", "file:///team dir/team/x");
	is_at("registry.example:5000/team/none", "2", "file:///team dir/team/none");
	is_at("registry.example:5000/teams/x", "1", "file:///old/teams/x");
	is_at("a.b.wild.example/x", NULL, "https://wild.example/x");
	is_at("wild.example/x", NULL, "https://all.example/sigs/x");
}

static void without_files_there_is_a_place_too(void **state)
{
	static const char root[] = "default-docker:\n  lookaside: file:///\n";
	AUTO(lookasides_done) struct lookasides l = { 0 };
	autofree char *url = NULL, *below_root = NULL;
	struct err e = { 0 };

	assert_int_equal(lookaside_find(&l, "docker.io/library/x", "1", &url, &e), 0);
	assert_string_equal(url, LOOKASIDE_DEFAULT "/library/x");
	assert_int_equal(lookaside_parse(root, strlen(root), &l, &e), 0);
	assert_int_equal(lookaside_find(&l, "docker.io/library/x", "1", &below_root, &e), 0);
	assert_string_equal(below_root, "file:///library/x");
}

static void what_is_not_understood_is_refused(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "docker: {}\n", "line 1: only \"key: word\" is understood" },
		{ "- docker\n", "line 1: only \"key: word\" is understood" },
		{ "docker:\n  *.x:\n", "line 2: only \"key: word\" is understood" },
		{ "docker:\n\tx:\n", "line 2: a tab" },
		{ "docker\n", "line 1: \"key:\" is missing" },
		{ " docker:\n", "line 1: wrong indentation" },
		{ "docker:\n    x:\n  y:\n", "line 3: wrong indentation" },
		{ "docker: x\n  y:\n", "line 2: wrong indentation" },
		{ "a:\n b:\n  c:\n   d:\n", "line 4: deeper than is understood" },
		{ "docker:\n  \"x:\n", "line 2: quotes that are not understood" },
		{ "docker:\n  \"x\\n\":\n", "line 2: quotes that are not understood" },
		{ "docker:\n  x:\n    lookaside: 'a' b\n", "line 3: something behind the word" },
		{ "docker:\n  x:\n    lookaside: /var\n",
		  "line 3: \"/var\" is neither file:///, https:// nor http://" },
		{ "docker:\n  x:\n    lookaside:\n",
		  "line 3: \"\" is neither file:///, https:// nor http://" },
		{ "docker:\n  x:\n    lookaside: file:///a\n  x:\n    lookaside: file:///b\n",
		  "line 5: \"x\" has two places" },
		{ "docker:\n  a=b:\n    lookaside: file:///a\n", "line 3: \"a=b\" is no name" },
	};

	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(lookasides_done) struct lookasides l = { 0 };
		struct err e = { 0 };

		assert_true(lookaside_parse(cases[i].text, strlen(cases[i].text), &l, &e) < 0);
		assert_string_equal(e.msg, cases[i].why);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_scope_with_a_place_rules),
		cmocka_unit_test(without_files_there_is_a_place_too),
		cmocka_unit_test(what_is_not_understood_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

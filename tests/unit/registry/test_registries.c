/* test_registries.c - registries.conf: where names lead, what is refused and where it stands */
#include "../cm.h"

#include "base/auto.h"
#include "base/buf.h"
#include "registry/registries.h"

static int parse(const char *text, struct registries *r, struct err *e)
{
	return registries_parse("f", text, strlen(text), r, e);
}

static void moves(const struct registries *r, const char *name, const char *want)
{
	const struct registry_rule *rule = registries_find(r, name);
	autofree char *to = NULL;

	assert_non_null(rule);
	to = registry_rule_move(rule, rule->location, name);
	assert_string_equal(to, want);
}

static void the_longest_prefix_rules_and_only_whole_components_fit(void **state)
{
	struct registries r = { 0 };
	struct err e = { 0 };

	assert_int_equal(
		parse("unqualified-search-registries = [\"a.example\", 'b.example'] # two\n"
		      "[[registry]]\nprefix = \"a.example\"\nlocation = \"internal:5000/a\"\n"
		      "[[registry.mirror]]\nlocation = \"m1.example\"\ninsecure = true\n"
		      "[[registry.mirror]]\nlocation = \"m2.example/x\"\npull-from-mirror = \"digest-only\"\n"
		      "[[registry]]\nprefix = \"a.example/team\"\nblocked = true\n"
		      "[[registry]]\nprefix = \"*.b.example\"\nlocation = \"b.internal\"\n"
		      "[aliases]\n\"fedora\" = \"registry.example/fedora\"\n",
		      &r, &e),
		0);
	assert_int_equal(r.search.n, 2);
	moves(&r, "a.example/x/y", "internal:5000/a/x/y");
	moves(&r, "a.example/teams/y", "internal:5000/a/teams/y");
	assert_true(registries_find(&r, "a.example/team/y")->blocked);
	moves(&r, "x.y.b.example/z", "b.internal/z");
	assert_null(registries_find(&r, "b.example/z"));
	assert_null(registries_find(&r, "a.example.org/x"));
	assert_null(registries_find(&r, "a.example:5000/x"));
	assert_int_equal(registries_find(&r, "a.example/x")->n_mirrors, 2);
	assert_true(registries_find(&r, "a.example/x")->mirrors[0].insecure);
	assert_int_equal(registries_find(&r, "a.example/x")->mirrors[1].use, MIRROR_DIGEST_ONLY);
	assert_string_equal(strv_env_get(&r.aliases, "fedora"), "registry.example/fedora");
	registries_done(&r);
}

static void a_later_file_takes_the_place_of_a_rule(void **state)
{
	struct registries r = { 0 };
	struct err e = { 0 };

	assert_int_equal(parse("[[registry]]\nlocation = \"a\"\n[[registry]]\nlocation = \"b\"\n", &r, &e),
			 0);
	assert_int_equal(parse("[[registry]]\nprefix = \"a\"\nblocked = true\n", &r, &e), 0);
	assert_int_equal(r.n_rules, 2);
	assert_true(registries_find(&r, "a/x")->blocked);
	assert_false(registries_find(&r, "b/x")->blocked);
	registries_done(&r);
}

static void what_is_wrong_is_told_with_its_line(void **state)
{
	static const char *const wrong[][2] = {
		{ "x", "f:1: a = is missing" },
		{ "\n\nx = 1\n", "f:3: unknown key \"x\"" },
		{ "unqualified-search-registries = \"a\"",
		  "f:1: unqualified-search-registries must be a list of strings" },
		{ "[registries.search]\nregistries = []\n",
		  "f:1: it is of version 1: write [[registry]] instead" },
		{ "[[registry]]\n", "f: a registry without prefix and location" },
		{ "[[registry]]\nlocation = \"a\"\nlocation = \"b\"\n", "f:3: \"location\" is there twice" },
		{ "[[registry]]\nlocation = \"https://a\"\n",
		  "f: the prefix \"https://a\" is not host[:port][/path]" },
		{ "[[registry]]\nlocation = \"a/\"\n", "f: the prefix \"a/\" is not host[:port][/path]" },
		{ "[[registry]]\nlocation = \"a\"\n[[registry]]\nprefix = \"a\"\n",
		  "f: the registry a is there twice" },
		{ "[[registry]]\nlocation = \"a\"\nblocked = 1\n", "f:3: blocked must be true or false" },
		{ "[[registry]]\nlocation = \"a\"\nbloked = true\n",
		  "f:3: unknown key \"bloked\" of a registry" },
		{ "[[registry.mirror]]\nlocation = \"a\"\n", "f:1: a mirror of no registry" },
		{ "[[registry]]\nlocation = \"a\"\n[[registry.mirror]]\n",
		  "f: a mirror of a without location" },
		{ "[[registry]]\nprefix = \"*.a/b\"\n", "f: the prefix \"*.a/b\" has a path behind a *" },
		{ "a = \"\n", "f:1: a string without an end" },
		{ "a = \"\"\"x\"\"\"\n", "f:1: strings of several lines are not read" },
		{ "a.b = 1\n", "f:1: dotted keys are not read" },
		{ "a = {b = 1}\n", "f:1: a value that is not read here" },
		{ "a = 1.5\n", "f:1: a value that is not read here" },
		{ "[a\n", "f:1: a ] is missing" },
		{ "short-name-mode = \"x\" y\n", "f:1: something stands behind the end" },
		{ "[aliases]\n[aliases]\n", "f:2: the table [aliases] is there twice" },
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct registries r = { 0 };
		struct err e = { 0 };

		assert_true(parse(wrong[i][0], &r, &e) < 0);
		assert_string_equal(e.msg, wrong[i][1]);
		registries_done(&r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_prefix_rules_and_only_whole_components_fit),
		cmocka_unit_test(a_later_file_takes_the_place_of_a_rule),
		cmocka_unit_test(what_is_wrong_is_told_with_its_line),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

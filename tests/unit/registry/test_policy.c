/* test_policy.c - policy.json: the longest scope rules; what is not understood is refused, never passed over */
#include "../cm.h"

#include "base/auto.h"
#include "registry/policy.h"

#define ACCEPT "[{\"type\":\"insecureAcceptAnything\"}]"
#define REJECT "[{\"type\":\"reject\"}]"

static const char file[] = "{\"default\":" REJECT ",\"transports\":{\"docker\":{"
			   "\"docker.io/library/ok\":" ACCEPT ",\"docker.io/library/ok:bad\":" REJECT
			   ",\"a.example/team\":" ACCEPT ",\"*.b.example\":" ACCEPT ",\"x.b.example\":" REJECT
			   ",\"k.example\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k.pub\","
			   "\"signedIdentity\":{\"type\":\"matchRepository\"}}]}}}";

static int type_of(const char *name, const char *tag)
{
	AUTO(policy_done) struct policy p = { 0 };
	struct err e = { 0 };

	assert_int_equal(policy_parse(file, strlen(file), name, tag, &p, &e), 0);
	assert_int_equal(p.n_rules, 1);
	return p.rules[0].type;
}

static void the_longest_scope_rules(void **state)
{
	assert_int_equal(type_of("docker.io/library/ok", "1"), POLICY_ACCEPT);
	assert_int_equal(type_of("docker.io/library/ok", "bad"), POLICY_REJECT);
	assert_int_equal(type_of("docker.io/library/okay", "1"), POLICY_REJECT);
	assert_int_equal(type_of("a.example/team/x/y", NULL), POLICY_ACCEPT);
	assert_int_equal(type_of("a.example/teams", NULL), POLICY_REJECT);
	assert_int_equal(type_of("y.b.example/z", "1"), POLICY_ACCEPT);
	assert_int_equal(type_of("x.b.example/z", "1"), POLICY_REJECT);
	assert_int_equal(type_of("b.example/z", "1"), POLICY_REJECT);
	assert_int_equal(type_of("k.example/z", "1"), POLICY_SIGSTORE);
}

static void what_is_not_understood_is_refused(void **state)
{
	static const char *const wrong[] = {
		"{}",
		"{\"default\":[]}",
		"{\"default\":[{}]}",
		"{\"default\":[{\"type\":\"maybe\"}]}",
		"{\"default\":" ACCEPT ",\"more\":1}",
		"{\"default\":[{\"type\":\"signedBy\",\"keyType\":\"GPGKeys\"}]}",
		"{\"default\":[{\"type\":\"reject\",\"keyPath\":\"/k\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"keyData\":\"aa\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"fulcio\":{},\"rekorPublicKeyPath\":\"/r\"}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":"
		"\"remapIdentity\"}}]}",
		"{\"default\":[{\"type\":\"sigstoreSigned\",\"keyPath\":\"/k\",\"signedIdentity\":{\"type\":"
		"\"exactReference\"}}]}",
		"{\"default\":" ACCEPT ",\"default\":" REJECT "}",
	};

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct policy p = { 0 };
		struct err e = { 0 };

		assert_true(policy_parse(wrong[i], strlen(wrong[i]), "a/b", "1", &p, &e) < 0);
		assert_true(*e.msg);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_longest_scope_rules),
		cmocka_unit_test(what_is_not_understood_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_auth.c - files of credentials: who is found for which server, and what a login leaves of the rest */
#include "../cm.h"

#include <errno.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/buf.h"
#include "registry/auth.h"

/* ann:secret, bob:word, and a name without a colon */
#define ANN "YW5uOnNlY3JldA=="
#define BOB "Ym9iOndvcmQ="

static void find(const char *text, const char *name, const char *user, const char *password)
{
	AUTO(auth_answer_done) struct auth_answer a = { 0 };
	struct err e = { 0 };

	assert_int_equal(auth_file_find(text, strlen(text), name, &a, &e), 0);
	assert_int_equal(a.found, user != NULL);
	if (!user)
		return;
	assert_string_equal(a.credentials.user, user);
	assert_string_equal(a.credentials.password, password);
}

static void the_most_exact_entry_is_found_and_no_other_server(void **state)
{
	static const char file[] =
		"{\"auths\":{\"a.example\":{\"auth\":\"" ANN "\"},\"a.example/team\":{\"auth\":\"" BOB
		"\"},\"https://index.docker.io/v1/\":{\"auth\":\"" BOB
		"\"},\"http://b.example:5000\":{\"username\":\"u\",\"password\":\"p\"}}}";

	find(file, "a.example/x", "ann", "secret");
	find(file, "a.example/team/x", "bob", "word");
	find(file, "a.example/teams/x", "ann", "secret");
	find(file, "a.example:443/x", NULL, NULL);
	find(file, "aa.example/x", NULL, NULL);
	find(file, "docker.io/library/x", "bob", "word");
	find(file, "b.example:5000/x", "u", "p");
	find(file, "b.example/x", NULL, NULL);
}

static void helpers_are_named_for_a_server_or_for_all(void **state)
{
	static const char file[] = "{\"auths\":{\"a.example\":{\"auth\":\"" ANN "\"},\"c.example\":{}},"
				   "\"credHelpers\":{\"b.example\":\"pass\"},\"credsStore\":\"desktop\"}";
	AUTO(auth_answer_done) struct auth_answer b = { 0 }, c = { 0 };
	struct err e = { 0 };

	find(file, "a.example/x", "ann", "secret");
	assert_int_equal(auth_file_find(file, strlen(file), "b.example/x", &b, &e), 0);
	assert_string_equal(b.helper, "pass");
	assert_int_equal(auth_file_find(file, strlen(file), "c.example", &c, &e), 0);
	assert_string_equal(c.helper, "desktop");
}

static void a_wrong_file_is_an_error_that_tells_no_secret(void **state)
{
	static const char *const wrong[] = { "[]",
					     "{\"auths\":[]}",
					     "{\"auths\":{\"a\":{\"auth\":\"c2VjcmV0\"}}}",
					     "{\"auths\":{\"a\":{\"auth\":\"secret!\"}}}",
					     "{\"auths\":{\"a\":{\"auth\":7}}}",
					     "{\"auths\":{\"a\":{},\"a\":{}}}" };

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		struct auth_answer a = { 0 };
		struct err e = { 0 };

		assert_true(auth_file_find(wrong[i], strlen(wrong[i]), "a", &a, &e) < 0);
		assert_null(strstr(e.msg, "secret"));
	}
}

static void a_change_leaves_the_rest_as_it_was(void **state)
{
	static const char file[] = "{\"HttpHeaders\":{\"x\":\"y\"},\"auths\":{\"a.example\":{\"auth\":\"" ANN
				   "\"},\"https://a.example/v2/\":{}},\"z\":[1,2.5,null]}";
	const struct credentials bob = { (char[]){ "bob" }, (char[]){ "word" }, NULL };
	AUTO(buf_done) struct buf in = { 0 }, out = { 0 }, none = { 0 };
	struct err e = { 0 };
	bool changed;

	assert_int_equal(auth_file_change(file, strlen(file), "a.example", &bob, &in, &changed, &e), 0);
	assert_true(changed);
	assert_string_equal(in.data,
			    "{\"HttpHeaders\":{\"x\":\"y\"},\"auths\":{\"a.example\":{\"auth\":\"" BOB
			    "\"}},\"z\":[1,2.5,null]}\n");
	assert_int_equal(auth_file_change(in.data, in.len, "a.example", NULL, &out, &changed, &e), 0);
	assert_true(changed);
	assert_string_equal(out.data, "{\"HttpHeaders\":{\"x\":\"y\"},\"auths\":{},\"z\":[1,2.5,null]}\n");
	assert_int_equal(auth_file_change(out.data, out.len, "a.example", NULL, &none, &changed, &e), 0);
	assert_false(changed);
}

static void base64_is_exact(void **state)
{
	static const struct {
		const char *text, *data;
	} rows[] = { { "", "" }, { "Zg==", "f" }, { "Zm8=", "fo" }, { "Zm9v", "foo" }, { "Zm9vYg", "foob" } };
	static const char *const wrong[] = { "A", "====", "Zh==", "Zm9=", "Zm 9", "Zm9v\n", "Z===" };

	for (size_t i = 0; i < ARRAY_LEN(rows); i++) {
		AUTO(buf_done) struct buf b = { 0 };

		assert_int_equal(base64_decode(&b, rows[i].text, strlen(rows[i].text)), 0);
		assert_int_equal(b.len, strlen(rows[i].data));
		assert_true(!b.len || !memcmp(b.data, rows[i].data, b.len));
	}
	for (size_t i = 0; i < ARRAY_LEN(wrong); i++) {
		AUTO(buf_done) struct buf b = { 0 };

		assert_int_equal(base64_decode(&b, wrong[i], strlen(wrong[i])), -EINVAL);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_most_exact_entry_is_found_and_no_other_server),
		cmocka_unit_test(helpers_are_named_for_a_server_or_for_all),
		cmocka_unit_test(a_wrong_file_is_an_error_that_tells_no_secret),
		cmocka_unit_test(a_change_leaves_the_rest_as_it_was),
		cmocka_unit_test(base64_is_exact),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

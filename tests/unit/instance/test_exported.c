/* test_exported.c - an instance with its snapshots as a document: what is taken, and what is refused */
#include <string.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/buf.h"
#include "instance/exported.h"

#define ID	   "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"
#define IMAGE	   "sha256:" ID
#define SPEC(m)	   "{\"id\":\"" ID "\",\"name\":\"web\",\"process\":{\"args\":[\"sh\"]}" m "}"
#define SNAP(n, m) "{\"name\":\"" n "\",\"image\":\"" IMAGE "\",\"spec\":" SPEC("") m "}"
#define NOW(m)	   "{\"spec\":" SPEC("") m "}"
#define ALL(n, s)  "{\"version\":1,\"now\":" n ",\"snapshots\":[" s "]}"

static int parse(const char *text, struct exported *ret, struct err *e)
{
	*e = (struct err){ 0 };
	return exported_parse(text, strlen(text), ret, e);
}

static void a_tree_is_taken(void **state)
{
	struct exported x;
	struct err e;

	(void)state;
	assert_int_equal(
		parse(ALL(NOW(",\"parent\":\"b\",\"volumes\":[{\"name\":\"data\",\"image\":\"" IMAGE "\"}]"),
			  SNAP("a", "") "," SNAP("b", ",\"parent\":\"a\"") "," SNAP(
				  "c", ",\"parent\":\"a\",\"created\":7,\"memory\":true")),
		      &x, &e),
		0);
	assert_int_equal(x.n_snapshots, 3);
	assert_string_equal(x.snapshots[2].parent, "a");
	assert_int_equal(x.snapshots[2].created_ns, 7);
	assert_true(x.snapshots[2].memory);
	assert_string_equal(x.now.volumes[0].name, "data");
	exported_done(&x);
}

static void what_cannot_be_is_refused_with_the_reason(void **state)
{
	static const struct {
		const char *text, *why;
	} cases[] = {
		{ "", "" },
		{ "{}", "version" },
		{ "{\"version\":2,\"now\":" NOW("") "}", "it is of version 2" },
		{ "{\"version\":1}", "no id" },
		{ ALL("{\"spec\":{\"id\":\"abc\",\"name\":\"web\",\"process\":{\"args\":[\"sh\"]}}}", ""),
		  "no id" },
		{ ALL("{\"spec\":{\"id\":\"" ID "\",\"name\":\"../x\",\"process\":{\"args\":[\"sh\"]}}}", ""),
		  "no id, name" },
		{ ALL("{\"spec\":{\"id\":\"" ID "\",\"name\":\"web\"}}", ""), "command" },
		{ ALL("{\"spec\":" SPEC(",\"isolation\":\"none\"") "}", ""), "isolation" },
		{ ALL("{\"spec\":" SPEC(",\"mounts\":[{\"type\":\"volume\",\"target\":\"/x\"}]") "}", ""),
		  "a mount without" },
		{ ALL("{\"spec\":" SPEC(",\"net\":{\"attachments\":[{\"network\":\"x\"}]}") "}", ""),
		  "a network without" },
		{ ALL("{\"spec\":" SPEC(",\"sandbox\":{\"autoIds\":true}") "}", ""), "--userns auto" },
		{ ALL(NOW(",\"parent\":\"a\""), ""), "no snapshot 'a'" },
		{ ALL(NOW(""), SNAP("", "")), "snapshot 1: bad name" },
		{ ALL(NOW(""), SNAP("../x", "")), "bad name '../x'" },
		{ ALL(NOW(""), SNAP("a", "") "," SNAP("a", "")), "snapshot 2: it is there twice" },
		{ ALL(NOW(""), SNAP("a", ",\"parent\":\"a\"")), "went on from itself" },
		{ ALL(NOW(""), SNAP("a", ",\"parent\":\"b\"") "," SNAP("b", ",\"parent\":\"a\"")),
		  "snapshot a: it went on from itself" },
		{ ALL(NOW(""), "{\"name\":\"a\",\"spec\":" SPEC("") "}"), "names no image" },
		{ ALL(NOW(",\"volumes\":[{\"name\":\"../x\",\"image\":\"" IMAGE "\"}]"), ""), "'../x'" },
		{ ALL(NOW(",\"volumes\":[{\"name\":\"data\",\"image\":\"x\"}]"), ""), "no image" },
		{ ALL(NOW(",\"volumes\":[{\"name\":\"data\",\"image\":\"" IMAGE
			  "\"},{\"name\":\"data\",\"image\":\"" IMAGE "\"}]"),
		      ""),
		  "volume data is there twice" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		struct exported x = { 0 };
		struct err e;

		if (parse(cases[i].text, &x, &e) == 0 || !strstr(e.msg, cases[i].why))
			fail_msg("%s: %s", cases[i].text, e.msg);
		assert_null(x.snapshots);
	}
}

static void no_more_than_an_archive_has_images(void **state)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct exported x;
	struct err e;

	(void)state;
	buf_adds(&b, "{\"version\":1,\"now\":" NOW("") ",\"snapshots\":[");
	for (int i = 0; i < EXPORTED_MOST; i++)
		buf_addf(&b, "%s{\"name\":\"s%d\",\"image\":\"" IMAGE "\",\"spec\":" SPEC("") "}",
			 i ? "," : "", i);
	buf_adds(&b, "]}");
	assert_true(parse(b.data, &x, &e) < 0);
	assert_non_null(strstr(e.msg, "more than"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_tree_is_taken),
		cmocka_unit_test(what_cannot_be_is_refused_with_the_reason),
		cmocka_unit_test(no_more_than_an_archive_has_images),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

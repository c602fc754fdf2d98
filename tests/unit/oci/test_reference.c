/* test_reference.c - names of images and digests: Docker's grammar, good and bad */
#include "../cm.h"

#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "oci/reference.h"

#define HEX "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define A63 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define A31 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static const struct {
	const char *given, *kept;
} good[] = {
	{ "x", "x:latest" },
	{ "0", "0:latest" },
	{ "redis", "redis:latest" },
	{ "redis:7", "redis:7" },
	{ "redis:7.2-alpine", "redis:7.2-alpine" },
	{ "library/redis", "redis:latest" },
	{ "docker.io/redis", "redis:latest" },
	{ "docker.io/library/redis", "redis:latest" },
	{ "docker.io/library/redis:7", "redis:7" },
	{ "index.docker.io/library/redis", "redis:latest" },
	{ "index.docker.io/user/app", "user/app:latest" },
	{ "docker.io/user/app:1", "user/app:1" },
	{ "docker.io/library/a/b", "library/a/b:latest" },
	{ "docker.io/a.b/c", "docker.io/a.b/c:latest" },
	{ "user/app", "user/app:latest" },
	{ "a/b/c/d", "a/b/c/d:latest" },
	{ "library", "library:latest" },
	{ "library/a/b", "library/a/b:latest" },
	{ "ghcr.io/library/redis", "ghcr.io/library/redis:latest" },
	{ "quay.io/a/b:v1", "quay.io/a/b:v1" },
	{ "localhost/a", "localhost/a:latest" },
	{ "localhost:5000/a", "localhost:5000/a:latest" },
	{ "localhost:5000/a:b", "localhost:5000/a:b" },
	{ "host:80/a", "host:80/a:latest" },
	{ "my-host.example.com:443/a/b:c", "my-host.example.com:443/a/b:c" },
	{ "HOST/a", "HOST/a:latest" },
	{ "Example.Com/a", "Example.Com/a:latest" },
	{ "1.2.3.4/a", "1.2.3.4/a:latest" },
	{ "1.2.3.4:5/a", "1.2.3.4:5/a:latest" },
	{ "[::1]/a", "[::1]/a:latest" },
	{ "[::1]:5000/a:t", "[::1]:5000/a:t" },
	{ "[2001:db8::1]:5000/a/b", "[2001:db8::1]:5000/a/b:latest" },
	{ "a.b/c", "a.b/c:latest" },
	{ "a_b", "a_b:latest" },
	{ "a__b", "a__b:latest" },
	{ "a.b", "a.b:latest" },
	{ "a-b", "a-b:latest" },
	{ "a--b", "a--b:latest" },
	{ "a------b", "a------b:latest" },
	{ "a-b_c.d__e", "a-b_c.d__e:latest" },
	{ "a/b_c/d-e", "a/b_c/d-e:latest" },
	{ "test.com:tag", "test.com:tag" },
	{ "test:5000", "test:5000" },
	{ "x:A", "x:A" },
	{ "x:_", "x:_" },
	{ "x:0", "x:0" },
	{ "x:a.b-c_d", "x:a.b-c_d" },
	{ "x:a..b", "x:a..b" },
	{ "x:latest", "x:latest" },
	{ "x@sha256:" HEX, "x@sha256:" HEX },
	{ "x:1@sha256:" HEX, "x:1@sha256:" HEX },
	{ "docker.io/library/x@sha256:" HEX, "x@sha256:" HEX },
	{ "h:1/a/b:t@sha256:" HEX, "h:1/a/b:t@sha256:" HEX },
	{ "user/" HEX, "user/" HEX ":latest" },
	{ "docker.io/" HEX, HEX ":latest" },
	{ A63, A63 ":latest" },
	{ "x:" A63 A63 "aa", "x:" A63 A63 "aa" },
	{ A63 "/" A63 "/" A63 "/" A63, A63 "/" A63 "/" A63 "/" A63 ":latest" },
	{ "deadbeef", "deadbeef:latest" },
	{ "docker.io", "docker.io:latest" },
};

static const char *const bad[] = {
	"",
	" ",
	"/",
	":",
	"@",
	".",
	"..",
	"-",
	"_",
	"//",
	":a",
	"@a",
	"/a",
	"a/",
	"a//b",
	"a/b/",
	"a:",
	"a@",
	"a:b:c",
	"a: b",
	" a",
	"a ",
	"a b",
	"a\tb",
	"a\n",
	"a\nb",
	"\x1b[2Ja",
	"a\x7f",
	"a\x01",
	"a/\x01",
	"a:\x01",
	"a:b\n",
	"A",
	"Redis",
	"redis/Redis",
	"user/App:1",
	"docker.io/Redis",
	"localhost/A",
	"h:1/A",
	".a",
	"a.",
	"-a",
	"a-",
	"_a",
	"a_",
	"a..b",
	"a._b",
	"a_.b",
	"a___b",
	"a-_b",
	"a-.b",
	"a.-b",
	"a/-b",
	"a/.b",
	"a/_b",
	"a/b-",
	"a/b.",
	"a/..",
	"../a",
	"a/../b",
	"./a",
	"a/./b",
	"--privileged",
	"-v",
	"a!",
	"a$b",
	"a+b",
	"a=b",
	"a,b",
	"a;b",
	"a&b",
	"a|b",
	"a*b",
	"a?b",
	"a#b",
	"a%b",
	"a~b",
	"a^b",
	"a\\b",
	"a'b",
	"a\"b",
	"a`b",
	"a(b",
	"a)b",
	"a<b",
	"a>b",
	"a{b",
	"a[b",
	"a]b",
	"\xc3\xa4",
	"a\xff",
	"a:\xc3\xa4",
	"a/\xe2\x80\xae",
	"x:.a",
	"x:-a",
	"x:a/b:c:",
	"x:a b",
	"x:a+b",
	"x:a@",
	"x:@sha256:" HEX,
	"x:" A63 A63 "aaa",
	"https://a",
	"http://a/b",
	"a://b",
	"ftp:/a",
	"file:///etc/passwd",
	"docker://x",
	"h:/a",
	"h:a/b",
	"h:123456/a",
	"h:-1/a",
	":5000/a",
	"h:1:2/a",
	"h.:1/a",
	".h/a",
	"h..i/a",
	"-h.i/a",
	"h-.i/a",
	"h_i.j/a",
	"h!.i/a",
	"[::1/a",
	"::1]/a",
	"[]/a",
	"[g::]/a",
	"[::1]x/a",
	"[::1]:/a",
	"[::1]:x/a",
	"[::1]",
	"docker.io/",
	"docker.io/library/",
	"index.docker.io/",
	"localhost/",
	"h:1/",
	"h.i/",
	"x@",
	"x@sha256",
	"x@sha256:",
	"x@sha256:abc",
	"x@sha256:" HEX "0",
	"x@md5:" HEX,
	"x@sha512:" HEX,
	"x@SHA256:" HEX,
	"x@sha256:0123456789ABCDEF0123456789abcdef0123456789abcdef0123456789abcdef",
	"x@" HEX,
	"@sha256:" HEX,
	"x@sha256:" HEX "@sha256:" HEX,
	"x@sha256:" HEX ":tag",
	"x@sha256:" HEX "\n",
	"x@sha256:../../../../../../../../../../../../../../../../../../etc/passwd",
	"sha256:" HEX "@x",
	HEX,
	"a/" A63 "/" A63 "/" A63 "/" A63,
	A63 A63 A63 A63 A63,
};

static void good_names_are_kept_in_short_form(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(reference_done) struct reference ref = { 0 };
		autofree char *text = NULL;
		struct err e = { 0 };

		if (reference_parse(good[i].given, &ref, &e) < 0)
			fail_msg("%s: %s", good[i].given, e.msg);
		text = reference_text(&ref);
		assert_string_equal(text, good[i].kept);
	}
}

static void the_short_form_means_the_same(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(good); i++) {
		AUTO(reference_done) struct reference ref = { 0 };
		autofree char *text = NULL;

		if (!strcmp(good[i].kept, HEX ":latest")) /* the user must write the domain for this one */
			continue;
		assert_int_equal(reference_parse(good[i].kept, &ref, NULL), 0);
		text = reference_text(&ref);
		assert_string_equal(text, good[i].kept);
	}
}

static void bad_names_are_refused_with_one_clear_line(void **state)
{
	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct reference ref = { .name = (char *)1 };
		struct err e = { 0 };

		if (reference_parse(bad[i], &ref, &e) != -EINVAL)
			fail_msg("accepted: \"%s\"", bad[i]);
		assert_ptr_equal(ref.name, (char *)1);
		assert_non_null(strstr(e.msg, "bad image name"));
		for (const char *p = e.msg; *p; p++)
			assert_true((unsigned char)*p >= 0x20 && *p != 0x7f);
	}
}

static void digests_are_sha256_in_lower_case_only(void **state)
{
	static const char *const wrong[] = {
		"",
		"sha256",
		"sha256:",
		HEX,
		"sha256" HEX,
		"sha256:" HEX "0",
		"sha256: " HEX,
		" sha256:" HEX,
		"SHA256:" HEX,
		"sha512:" HEX HEX,
		"md5:" A31 "a",
		"sha256:" A63,
		"sha256:" A63 "g",
		"sha256:" A63 "A",
		"sha256:" A63 "/",
		"sha256:" A63 "\n",
		"sha256:../" A31 A31,
		"sha-256:" HEX,
		"sha256+b64:" HEX,
	};
	struct digest d, again;
	char text[DIGEST_TEXT], hex[DIGEST_HEX];

	for (size_t i = 0; i < ARRAY_LEN(wrong); i++)
		assert_int_equal(digest_parse(wrong[i], &d), -EINVAL);
	assert_int_equal(digest_parse("sha256:" HEX, &d), 0);
	digest_text(&d, text);
	assert_string_equal(text, "sha256:" HEX);
	digest_hex(&d, hex);
	assert_string_equal(hex, HEX);
	assert_int_equal(digest_parse(text, &again), 0);
	assert_true(digest_equal(&d, &again));
	again.sha256[31] ^= 1;
	assert_false(digest_equal(&d, &again));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(good_names_are_kept_in_short_form),
		cmocka_unit_test(the_short_form_means_the_same),
		cmocka_unit_test(bad_names_are_refused_with_one_clear_line),
		cmocka_unit_test(digests_are_sha256_in_lower_case_only),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

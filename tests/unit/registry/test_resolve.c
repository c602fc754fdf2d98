/* test_resolve.c - from a name to servers: mirrors first, short names, what may be told to whom */
#include "../cm.h"

#include <stdio.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "registry/resolve.h"

static char dir[] = "/tmp/ketch-resolve.XXXXXX";
static char conf[64], auth[64];

static void write_file(const char *path, const char *text)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* What is asked of whom, in order: "server repository [user] [plain]; " */
static char *resolve(const char *name, enum resolve_for what)
{
	const struct registry_files files = { .conf = conf, .auth = auth, .cert_dir = dir };
	AUTO(resolution_done) struct resolution r = { 0 };
	struct buf out = { 0 };
	struct err e = { 0 };

	if (registry_resolve(&files, name, what, &r, &e) < 0)
		return strdup(e.msg);
	for (size_t i = 0; i < r.n_meanings; i++) {
		buf_addf(&out, "%s%s:", i ? " | " : "", r.meanings[i].ref.name);
		for (size_t k = 0; k < r.meanings[i].n_endpoints; k++) {
			const struct registry_endpoint *ep = &r.meanings[i].endpoints[k];

			buf_addf(&out, " %s/%s%s%s%s", ep->server, ep->repository, ep->user ? " as " : "",
				 ep->user ? ep->user : "", ep->plain ? " plain" : "");
		}
	}
	return buf_take(&out);
}

static void is(const char *name, enum resolve_for what, const char *want)
{
	autofree char *got = resolve(name, what);

	assert_string_equal(got, want);
}

static void names_lead_to_servers(void **state)
{
	write_file(conf, "");
	write_file(auth, "{\"auths\":{\"docker.io\":{\"auth\":\"YW5uOnNlY3JldA==\"}}}");
	is("alpine", RESOLVE_PULL, "alpine: registry-1.docker.io/library/alpine as ann");
	is("u/x:1", RESOLVE_PULL, "u/x: registry-1.docker.io/u/x as ann");
	is("localhost:5000/x", RESOLVE_PULL, "localhost:5000/x: localhost:5000/x plain");
	is("127.8.9.1:5000/x", RESOLVE_PULL, "127.8.9.1:5000/x: 127.8.9.1:5000/x plain");
	is("127.8.9.1.example/x", RESOLVE_PULL, "127.8.9.1.example/x: 127.8.9.1.example/x");
	is("128.0.0.1/x", RESOLVE_PULL, "128.0.0.1/x: 128.0.0.1/x");
}

static void mirrors_come_first_and_credentials_stay_with_their_server(void **state)
{
	write_file(conf,
		   "[[registry]]\nprefix = \"docker.io\"\nlocation = \"docker.io\"\n"
		   "[[registry.mirror]]\nlocation = \"mirror.example/hub\"\ninsecure = true\n"
		   "[[registry.mirror]]\nlocation = \"m2.example\"\npull-from-mirror = \"digest-only\"\n"
		   "[[registry]]\nprefix = \"no.example\"\nblocked = true\n");
	write_file(auth, "{\"auths\":{\"docker.io\":{\"auth\":\"YW5uOnNlY3JldA==\"}}}");
	is("alpine", RESOLVE_PULL,
	   "alpine: mirror.example/hub/library/alpine plain registry-1.docker.io/library/alpine as ann");
	is("alpine", RESOLVE_PUSH, "alpine: registry-1.docker.io/library/alpine as ann");
	is("no.example/x", RESOLVE_PULL, "registries.conf blocks no.example/x");
}

static void short_names_are_searched_in_order_unless_an_alias_tells(void **state)
{
	write_file(conf, "unqualified-search-registries = [\"a.example\", \"docker.io\"]\n[aliases]\n"
			 "\"fed\" = \"b.example/fed\"\n");
	write_file(auth, "{}");
	is("x:1", RESOLVE_PULL, "a.example/x: a.example/x | x: registry-1.docker.io/library/x");
	is("docker.io/library/x", RESOLVE_PULL, "x: registry-1.docker.io/library/x");
	is("fed:2", RESOLVE_PULL, "b.example/fed: b.example/fed");
}

static int begin(void **state)
{
	if (!mkdtemp(dir))
		return -1;
	snprintf(conf, sizeof(conf), "%s/registries.conf", dir);
	snprintf(auth, sizeof(auth), "%s/auth.json", dir);
	return 0;
}

static int end(void **state)
{
	unlink(conf);
	unlink(auth);
	return rmdir(dir);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_lead_to_servers),
		cmocka_unit_test(mirrors_come_first_and_credentials_stay_with_their_server),
		cmocka_unit_test(short_names_are_searched_in_order_unless_an_alias_tells),
	};

	return cmocka_run_group_tests(tests, begin, end);
}

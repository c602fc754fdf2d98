/* fuzz_packages.c - any bytes as a file that tells about packages; the first says of which kind
 *
 * Whatever is read, names and versions are words that a terminal can be shown.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "packages/parsers.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_word(const char *s)
{
	if (!s || !*s || strlen(s) > PACKAGE_WORD_MAX)
		abort();
	for (; *s; s++)
		if (*s <= ' ' || *s > '~')
			abort();
}

static int parse(unsigned kind, char *data, size_t n, struct package_file *f, struct err *e)
{
	static const char *const paths[] = { "var/lib/dpkg/status",
					     "lib/apk/db/installed",
					     "var/lib/rpm/rpmdb.sqlite",
					     "a.dist-info/METADATA",
					     "package-lock.json",
					     "Cargo.lock",
					     "go.sum",
					     "requirements.txt",
					     "Pipfile.lock",
					     "composer.lock",
					     "Gemfile.lock",
					     "yarn.lock",
					     "pnpm-lock.yaml" };

	kind %= ARRAY_LEN(paths) + 1;
	return kind == ARRAY_LEN(paths) ? rpm_header_parse((unsigned char *)data, n, f, e)
					: package_source_of(paths[kind])->parse(data, n, f, e);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(package_file_done) struct package_file f = { 0 };
	autofree char *copy = malloc(size);
	struct err e = { 0 };

	if (size < 2 || !copy)
		return 0;
	memcpy(copy, data + 1, size - 1);
	if (parse(data[0], copy, size - 1, &f, &e) < 0 && !e.no)
		abort();
	for (size_t i = 0; i < f.n; i++) {
		check_word(f.packages[i].name);
		check_word(f.packages[i].version);
		if (f.packages[i].arch)
			check_word(f.packages[i].arch);
	}
	return 0;
}

/* source.c - which files of a layer tell about packages */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "packages/parsers.h"

#define TEXT_MAX     (16 << 20)
#define JSON_MAX     (4 << 20) /* it takes more memory than it has bytes */
#define DATABASE_MAX (256 << 20)

static const struct package_source deb = { "deb", TEXT_MAX, dpkg_parse, NULL };
static const struct package_source apk = { "apk", TEXT_MAX, apk_parse, NULL };
static const struct package_source rpm = { "rpm", DATABASE_MAX, rpm_sqlite_parse, NULL };
static const struct package_source rpm_old = { "rpm", 0, NULL,
					       "rpm's databases of before SQLite are not read" };
static const struct package_source rpm_log = { "rpm", 0, NULL, "a database's write-ahead log is not read" };
static const struct package_source python = { "pypi", TEXT_MAX, python_parse, NULL };

/* By their whole path. */
static const struct {
	const char *path;
	const struct package_source *source;
} paths[] = {
	{ "var/lib/dpkg/status", &deb },
	{ "lib/apk/db/installed", &apk },
	{ "usr/lib/apk/db/installed", &apk },
	{ "var/lib/rpm/rpmdb.sqlite", &rpm },
	{ "usr/lib/sysimage/rpm/rpmdb.sqlite", &rpm },
	{ "var/lib/rpm/rpmdb.sqlite-wal", &rpm_log },
	{ "usr/lib/sysimage/rpm/rpmdb.sqlite-wal", &rpm_log },
	{ "var/lib/rpm/Packages", &rpm_old },
	{ "var/lib/rpm/Packages.db", &rpm_old },
	{ "usr/lib/sysimage/rpm/Packages", &rpm_old },
	{ "usr/lib/sysimage/rpm/Packages.db", &rpm_old },
};

/* Anywhere, by their name. */
static const struct {
	const char *name;
	struct package_source source;
} names[] = {
	{ "package-lock.json", { "npm", JSON_MAX, npm_parse, NULL } },
	{ "yarn.lock", { "npm", TEXT_MAX, yarn_parse, NULL } },
	{ "pnpm-lock.yaml", { "npm", TEXT_MAX, pnpm_parse, NULL } },
	{ "Cargo.lock", { "cargo", TEXT_MAX, toml_lock_parse, NULL } },
	{ "go.sum", { "golang", TEXT_MAX, go_sum_parse, NULL } },
	{ "poetry.lock", { "pypi", TEXT_MAX, toml_lock_parse, NULL } },
	{ "uv.lock", { "pypi", TEXT_MAX, toml_lock_parse, NULL } },
	{ "pdm.lock", { "pypi", TEXT_MAX, toml_lock_parse, NULL } },
	{ "requirements.txt", { "pypi", TEXT_MAX, requirements_parse, NULL } },
	{ "Pipfile.lock", { "pypi", JSON_MAX, pipfile_parse, NULL } },
	{ "composer.lock", { "composer", JSON_MAX, composer_parse, NULL } },
	{ "Gemfile.lock", { "gem", TEXT_MAX, gemfile_parse, NULL } },
};

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n >= k && !strcmp(s + n - k, end);
}

/* Images without a package manager have a file for each package there, and its sums beside it. */
static bool is_status_d(const char *path)
{
	static const char dir[] = "var/lib/dpkg/status.d/";

	return !strncmp(path, dir, sizeof(dir) - 1) && !strchr(path + sizeof(dir) - 1, '/') &&
	       !ends_with(path, ".md5sums");
}

const struct package_source *package_source_of(const char *path)
{
	const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;

	for (size_t i = 0; i < ARRAY_LEN(paths); i++)
		if (!strcmp(path, paths[i].path))
			return paths[i].source;
	if (is_status_d(path))
		return &deb;
	if (ends_with(path, ".dist-info/METADATA") || ends_with(path, ".egg-info/PKG-INFO"))
		return &python;
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		if (!strcmp(name, names[i].name))
			/* what lies in there came with a package: it tells how that was developed */
			return strstr(path, "node_modules/") ? NULL : &names[i].source;
	return NULL;
}

/* parsers.h - which files of a layer tell about packages, and how each is read
 *
 * Foreign bytes, read inside ketch-image only.  What is not read: what requirements.txt does not pin by ==, rpm's databases
 * of before SQLite, a database's write-ahead log.
 */
#ifndef PACKAGES_PARSERS_H
#define PACKAGES_PARSERS_H

#include "packages/package.h"

struct package_source {
	const char *type; /* of package_file */
	size_t max; /* bytes: a larger file is not read */
	/* Adds what data (n > 0 bytes) names to f.  It may write to data.  On failure what it has added so far is good. */
	int (*parse)(char *data, size_t n, struct package_file *f, struct err *e);
	const char *unread; /* why such a file is never read; NULL: it is */
};

/* NULL: a file of this path tells nothing about packages. */
const struct package_source *package_source_of(const char *path);

int dpkg_parse(char *data, size_t n, struct package_file *f, struct err *e);
int apk_parse(char *data, size_t n, struct package_file *f, struct err *e);
int rpm_sqlite_parse(char *data, size_t n, struct package_file *f, struct err *e);
/* One header of rpm, as its database keeps it (rpm: docs/manual/format_header). */
int rpm_header_parse(const unsigned char *h, size_t n, struct package_file *f, struct err *e);
int python_parse(char *data, size_t n, struct package_file *f, struct err *e);
int requirements_parse(char *data, size_t n, struct package_file *f, struct err *e);
/* Cargo.lock, poetry.lock, uv.lock, pdm.lock */
int toml_lock_parse(char *data, size_t n, struct package_file *f, struct err *e);
int go_sum_parse(char *data, size_t n, struct package_file *f, struct err *e);
int gemfile_parse(char *data, size_t n, struct package_file *f, struct err *e);
int npm_parse(char *data, size_t n, struct package_file *f, struct err *e);
int yarn_parse(char *data, size_t n, struct package_file *f, struct err *e);
int pnpm_parse(char *data, size_t n, struct package_file *f, struct err *e);
int pipfile_parse(char *data, size_t n, struct package_file *f, struct err *e);
int composer_parse(char *data, size_t n, struct package_file *f, struct err *e);

#endif

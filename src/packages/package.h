/* package.h - packages that a layer holds, as the files tell that package managers keep of them
 *
 * The vocabulary between ketch-image, which reads such files (parsers.h), and the store, which keeps what it found.
 */
#ifndef PACKAGES_PACKAGE_H
#define PACKAGES_PACKAGE_H

#include "base/json.h"

#define PACKAGE_WORD_MAX  255 /* bytes of a name, a version or an architecture */
#define PACKAGES_FILE_MAX 20000 /* in one file */

/* The inventory of a layer: a line for each file that tells about packages, JSON by package_file_table, in the order of their
 * paths.  No line: there is no such file. */
#define INVENTORY_BYTES_MAX (4 << 20)

struct package {
	char *name, *version;
	char *arch; /* NULL: none is said */
};

/* What one file of a layer tells. */
struct package_file {
	char *path; /* without a leading slash; "": files that were too many to be looked at */
	char *type; /* as in a package URL: "deb", "apk", "rpm", "npm" ... */
	char *problem; /* why not all of it was read; NULL: it was */
	struct package *packages;
	size_t n;
	/* while it is read; not in the table */
	size_t n_bad; /* that were left out: see package_add */
	bool is_mapping; /* the data is a shared mapping of a file: what was read of it can be forgotten */
};
extern const struct jtable package_file_table;

void package_file_done(struct package_file *f);

struct package_word {
	const char *text; /* borrowed */
	size_t n;
};
/* Adds one; the words are copied.  arch may be empty.  What has a word that is none (missing, too long, with more than
 * ASCII's letters, digits and signs) is left out and counted.  -E2BIG: too many. */
int package_add(struct package_file *f, struct package_word name, struct package_word version,
		struct package_word arch, struct err *e);

#endif

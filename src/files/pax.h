/* pax.h - what a PAX extended header says about a file, as far as it is wanted */
#ifndef FILES_PAX_H
#define FILES_PAX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "base/err.h"
#include "files/entry.h"

/* Start from { 0 }. */
struct pax {
	char *path, *link; /* owned; NULL: not said */
	bool has_size, has_uid, has_gid, has_mtime;
	uint64_t size, uid, gid;
	struct timespec mtime;
	struct xattr *xattrs; /* owned, with all they point to; of SCHILY.xattr.NAME */
	size_t n_xattrs, xattr_bytes;
};

void pax_done(struct pax *x);
/* Adds the records of one header; text is changed.  Sparse files (of GNU) are refused. */
int pax_parse(struct pax *x, char *text, size_t n, struct err *e);
/* Sets path or link; a NUL among its n bytes is refused. */
int pax_set_text(char **slot, const char *value, size_t n, struct err *e);

#endif

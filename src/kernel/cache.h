/* cache.h - files made out of a kernel and kept: ROOT/boot/RELEASE-HASH.KIND, HASH over all that goes in
 *
 * Readable by everybody, in a directory of root's: a VMM reads them as a user of its own.
 */
#ifndef KERNEL_CACHE_H
#define KERNEL_CACHE_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

/* FNV-1a: names files whose input only root can choose. */
#define CACHE_HASH UINT64_C(0xcbf29ce484222325)
uint64_t cache_hash(uint64_t h, const void *data, size_t n);

struct cache_key {
	const char *release, *kind;
	uint64_t hash;
};

/* Opens the file (O_RDONLY), filled by `make` if it is missing; older ones of this release and kind then go.  What
 * `make` fails with is returned. */
int cache_open(const char *root, const struct cache_key *key,
	       int (*make)(void *arg, struct buf *ret, struct err *e), void *arg, struct err *e);

#endif

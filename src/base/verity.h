/* verity.h - the fs-verity digest of a file (Documentation/filesystems/fsverity.rst): SHA-256, blocks of 4096, no salt
 *
 * A Merkle tree, of which only the unfinished block of each level is held.  What `fsverity digest` prints.  The first block
 * may come last, as one that writes a file does not know its head before its tail.
 */
#ifndef BASE_VERITY_H
#define BASE_VERITY_H

#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"

#define VERITY_BLOCK  4096
#define VERITY_FAN    (VERITY_BLOCK / SHA256_BYTES)
#define VERITY_LEVELS 6 /* 2 EiB */

struct verity_level {
	uint64_t n; /* hashes so far */
	uint8_t first[VERITY_BLOCK]; /* the first VERITY_FAN of them, the very first left for the end */
	uint8_t now[VERITY_BLOCK]; /* of the block that is being filled, if it is not the first */
};

/* 48 KiB: not for the stack of a thread. */
struct verity {
	uint64_t bytes; /* behind the first block */
	size_t fill;
	uint8_t block[VERITY_BLOCK]; /* that is not whole yet */
	struct verity_level levels[VERITY_LEVELS];
};

void verity_init(struct verity *v);
/* What follows behind the first block; NULL: that many zeros. */
void verity_add(struct verity *v, const void *data, uint64_t n);
/* first: VERITY_BLOCK bytes. */
void verity_end(struct verity *v, const void *first, uint8_t ret[SHA256_BYTES]);
/* Of all of a file, read from its beginning: 0 or -errno. */
int verity_of_file(int fd, uint8_t ret[SHA256_BYTES]);

#endif

/* chunk.h - large files cut into pieces, each a blob of a registry of its own (docs/design/012); pure
 *
 * A chunk is CHUNK_BYTES of one file, or what is left at its end, compressed by itself with zstd.  Those that hold nothing but
 * zeroes are left out.  Two digests name it: that of the blob, by which a registry has it, and that of the bytes, by which
 * it is found in a file that is here already.
 *
 * The list comes with an image, so it is foreign: chunked_check is what makes it one that can be acted on.
 */
#ifndef OCI_CHUNK_H
#define OCI_CHUNK_H

#include "base/json.h"
#include "base/strv.h"
#include "oci/digest.h"

#define CHUNK_BYTES (4u << 20)
/* More than zstd makes of CHUNK_BYTES that cannot be compressed (ZSTD_COMPRESSBOUND). */
#define CHUNK_BLOB_MAX	  (CHUNK_BYTES + (CHUNK_BYTES >> 7))
#define CHUNKS_MAX	  8192 /* 32 GiB that are not zero: a list of 1.2 MB */
#define CHUNKED_BYTES_MAX (UINT64_C(64) << 30) /* of each file, zeroes and all */

/* Of a machine: its disk, the state of its devices (of QEMU with the RAM), its RAM. */
enum chunked_file { CHUNKED_DISK, CHUNKED_STATE, CHUNKED_RAM, CHUNKED_FILES };
extern const char *const chunked_file_names[];

struct chunk {
	unsigned file; /* enum chunked_file */
	uint64_t at; /* where it begins in the file */
	struct digest blob, plain;
	uint64_t size; /* of the blob */
};

struct chunked {
	uint64_t bytes[CHUNKED_FILES]; /* how long the files are; 0: there is none */
	struct strv chunks; /* "FILE AT BLOB SIZE PLAIN", by file and place */
};
extern const struct jtable chunked_table;

int chunk_parse(const char *text, struct chunk *ret);
int chunk_add(struct chunked *c, const struct chunk *k); /* 0 or -ENOMEM */
/* How many bytes of its file it is. */
uint64_t chunk_plain_bytes(const struct chunked *c, const struct chunk *k);
/* Within its limits, each chunk one, in their order, none outside of its file? */
int chunked_check(const struct chunked *c, struct err *e);

#endif

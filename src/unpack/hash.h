/* hash.h - SHA-256 of a stream (OpenSSL) */
#ifndef UNPACK_HASH_H
#define UNPACK_HASH_H

#include <stddef.h>

#include "oci/digest.h"

struct hash;

/* Makes the library ready: it reads files, which a sandbox has not got.  0 or -EIO. */
int hash_init(void);
struct hash *hash_new(void); /* NULL: no memory */
struct hash *hash_free(struct hash *h);
void hash_add(struct hash *h, const void *data, size_t n);
/* The digest of all that was added; once. */
void hash_end(struct hash *h, struct digest *ret);
void hash_bytes(const void *data, size_t n, struct digest *ret);

#endif

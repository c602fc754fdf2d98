/* cache.h - compiled filters, kept by the digest of all that decides them
 *
 * DIR/KEY is a link to HEX.bpf, whose name is the SHA-256 of its bytes, so that a damaged file is known and made anew.
 * What another user owns or may write to is not believed.
 */
#ifndef SECCOMP_CACHE_H
#define SECCOMP_CACHE_H

#include "base/buf.h"
#include "base/sha256.h"

#define CACHE_NAME     (SHA256_HEX + 4) /* HEX.bpf and the NUL */
#define CACHE_FILE_MAX (128 * 1024)

/* The directory, made 0700 if it is missing.  A descriptor; -EPERM: others may write to it; -errno. */
int cache_open_dir(const char *path);
/* Begins a key with what every filter depends on: our compiler's version and libseccomp's. */
void cache_key_init(struct sha256 *h, const char *kind);
void cache_key_end(struct sha256 *h, char ret_key[SHA256_HEX]);
/* What the key leads to.  A descriptor at position 0, its name, and its bytes (appended); -ENOENT, -EBADMSG (damaged or
 * not ours), -errno. */
int cache_get(int dir, const char *key, char ret_name[CACHE_NAME], struct buf *ret);
/* The same by the file's own name. */
int cache_get_named(int dir, const char *name, struct buf *ret);
int cache_put(int dir, const char *key, const struct buf *content, char ret_name[CACHE_NAME]);
/* Empties a directory with more than max names: for a cache whose files nobody asks for by name. */
void cache_limit(int dir, size_t max);

#endif

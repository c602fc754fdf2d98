/* seccomp.h - from a profile in Docker's JSON to a compiled filter, kept by digest
 *
 * The key in the cache (cache.h) is the digest of all that decides the filter: the profile, the capabilities, the
 * kernel's version and libseccomp's.
 */
#ifndef SECCOMP_SECCOMP_H
#define SECCOMP_SECCOMP_H

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

/* profile: "default" (built in) or the path of a file; caps: what its conditions look at.  Compiles unless the cache
 * has it.  *ret_digest (owned) names the filter, *ret_fd holds an array of struct sock_filter, position 0. */
int seccomp_filter_open(const char *cache_dir, const char *profile, const struct strv *caps,
			char **ret_digest, int *ret_fd, struct err *e);
/* The filter of this digest from the cache: a descriptor, or -ENOENT, or -EBADMSG when it is damaged. */
int seccomp_filter_reopen(const char *cache_dir, const char *digest, struct err *e);

/* Compiles without a cache: appends the program of a profile's text (NULL: the built-in one). */
int seccomp_build(const struct buf *profile, const struct strv *caps, const char *kernel_release,
		  struct buf *ret, struct err *e);

#endif

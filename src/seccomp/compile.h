/* compile.h - rules -> BPF: by libseccomp, and shorter by our own hand where both prove equal */
#ifndef SECCOMP_COMPILE_H
#define SECCOMP_COMPILE_H

#include "base/buf.h"
#include "seccomp/bpf.h"
#include "seccomp/rules.h"

/* ABIs that are not allowed end the process: a filter that let them in by another door would be none, and an errno
 * would make musl's exit loop for ever. */
#define ACTION_BAD_ARCH ((uint32_t)SECCOMP_RET_KILL_PROCESS)

/* Appends an array of struct sock_filter.  Calls newer than any that the profile names are ENOSYS unless the default lets
 * them pass, as runc does: a new libc then falls back instead of failing. */
int seccomp_compile(const struct rules *rs, struct buf *ret, struct err *e);

/* The two ways, for tests.  compact: -E2BIG when it does not fit. */
int compile_libseccomp(const struct rules *rs, struct buf *ret, struct err *e);
int compile_compact(const struct rules *rs, struct buf *ret);
/* Do both programs answer the same for every call number and around every value that a rule compares with? */
bool compile_equal(const struct rules *rs, const struct buf *a, const struct buf *b);

#endif

/* oci.h - linux.seccomp of the OCI runtime-spec 1.2 (config-linux.md) -> a compiled filter, kept by digest
 *
 * As runc has it: names that this libseccomp does not know are skipped; calls newer than all that the profile names are
 * ENOSYS unless the default lets them pass; conditions on one argument twice are alternatives.  The ABIs that
 * `architectures` lists are filtered by their own numbers, x86_64 always; a call by another ends the process.
 */
#ifndef SECCOMP_OCI_H
#define SECCOMP_OCI_H

#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct seccomp_oci {
	struct buf program; /* array of struct sock_filter; never empty */
	uint32_t flags; /* SECCOMP_FILTER_FLAG_*; NEW_LISTENER when the profile has SCMP_ACT_NOTIFY */
	char *listener_path, *listener_metadata; /* NULL: none; the path is there when NEW_LISTENER is */
};

/* cache_dir: made 0700 if missing; NULL: no cache, and so it is where the cache cannot be used or believed: only what
 * the profile says makes this fail.  An error begins with its place: "linux.seccomp.syscalls[3].action: ...".  After
 * success *ret is the caller's to seccomp_oci_done. */
int seccomp_oci_build(const char *cache_dir, const char *json, struct seccomp_oci *ret, struct err *e);
void seccomp_oci_done(struct seccomp_oci *s);

#endif

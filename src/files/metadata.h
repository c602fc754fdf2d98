/* metadata.h - what an archive may say about a file besides its content: mode, owner, times, attributes
 *
 * flags: RESTORE_OWNER and RESTORE_SETID of files/restore.h.  fd is the thing itself; O_PATH suffices for owner and times.
 */
#ifndef FILES_METADATA_H
#define FILES_METADATA_H

#include <stdbool.h>
#include <sys/types.h>

#include "files/entry.h"

/* The access control list that a directory's later entries inherit: to be set when they have been made. */
#define ACL_DEFAULT "system.posix_acl_default"

mode_t metadata_mode(int flags, const struct entry *en);
/* To be set first: chown takes setuid bits and capabilities away. */
int metadata_set_owner(int flags, int fd, const struct entry *en, struct err *e);
int metadata_set_times(int fd, const struct entry *en, struct err *e);
/* What is of the host, or steers its kernel, is not for an archive to say. */
bool metadata_keeps_xattr(int flags, const char *name);
/* A file system that has no such attributes stays without. */
int metadata_set_xattr(int fd, const char *name, const void *value, size_t n, struct err *e);
/* Those that are kept, without ACL_DEFAULT. */
int metadata_set_xattrs(int flags, int fd, const struct entry *en, struct err *e);
/* All of it, in the right order. */
int metadata_set_all(int flags, int fd, const struct entry *en, struct err *e);

#endif

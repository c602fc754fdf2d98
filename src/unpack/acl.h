/* acl.h - POSIX ACLs in extended attributes (linux/posix_acl_xattr.h): what the kernel would refuse is refused here */
#ifndef UNPACK_ACL_H
#define UNPACK_ACL_H

#include <sys/types.h>

#include "files/entry.h"

#define ACL_ACCESS  "system.posix_acl_access"
#define ACL_DEFAULT "system.posix_acl_default"

/* 0 for any other attribute.  A file system that is written as a file takes anything: a bad one would be found by whoever
 * opens the file later. */
int acl_check(const struct xattr *x, mode_t mode, struct err *e);

#endif

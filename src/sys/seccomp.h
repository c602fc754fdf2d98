/* seccomp.h - loading a compiled system call filter */
#ifndef SYS_SECCOMP_H
#define SYS_SECCOMP_H

#include <linux/filter.h>

/* Installs the filter for this process for good.  Needs CAP_SYS_ADMIN or no_new_privs.  0 or -errno. */
int seccomp_load(const struct sock_fprog *f);

#endif

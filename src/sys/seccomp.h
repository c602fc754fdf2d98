/* seccomp.h - loading a compiled system call filter */
#ifndef SYS_SECCOMP_H
#define SYS_SECCOMP_H

#include <linux/filter.h>
#include <stdint.h>

/* Installs the filter for this process for good; flags: SECCOMP_FILTER_FLAG_*.  Needs CAP_SYS_ADMIN or no_new_privs.  0, or
 * with NEW_LISTENER its descriptor (O_CLOEXEC), or -errno (-EBUSY: another filter of the process has a listener). */
int seccomp_install(const struct sock_fprog *f, uint32_t flags);

#endif

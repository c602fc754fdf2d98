/* modules.h - which module files a guest needs, and in which order they load */
#ifndef KERNEL_MODULES_H
#define KERNEL_MODULES_H

#include "base/err.h"
#include "base/strv.h"

/* What a guest needs at every boot; for its agent under the driver qemu, and kvm; and where it has shares.  Names of
 * modprobe, NULL-terminated. */
extern const char *const modules_boot[], *const modules_port[], *const modules_vsock[],
									*const modules_share[];

/* dirfd: a /lib/modules/VERSION with modules.dep.  Appends to *ret the paths below dirfd of the wanted modules and
 * of all they depend on, each once, dependencies first; what is built into the kernel is left out. */
int modules_resolve(int dirfd, const char *const *wanted, struct strv *ret, struct err *e);

#endif

/* modules.h - which module files a guest needs, and in which order they load */
#ifndef KERNEL_MODULES_H
#define KERNEL_MODULES_H

#include "base/err.h"
#include "base/strv.h"

/* A file of the initramfs, and the modules it lists: names of modprobe, NULL-terminated. */
struct module_list {
	const char *name;
	const char *const *wanted;
};

/* What a guest needs at every boot; for its agent under the driver qemu, and kvm; where it has shares, or networks.  Ends with NULL. */
extern const struct module_list modules_lists[];

/* dirfd: a /lib/modules/VERSION with modules.dep.  Appends to *ret the paths below dirfd of the wanted modules and
 * of all they depend on, each once, dependencies first; what is built into the kernel is left out. */
int modules_resolve(int dirfd, const char *const *wanted, struct strv *ret, struct err *e);

#endif

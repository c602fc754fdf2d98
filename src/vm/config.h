/* config.h - the config message for a guest, out of the boot document */
#ifndef VM_CONFIG_H
#define VM_CONFIG_H

#include "instance/boot.h"

/* Appends the JSON of struct guest_config.  Paths of this host are left out. */
int vm_config_print(const struct boot *b, struct buf *ret, struct err *e);

#endif

/* initramfs.h - the initramfs of a guest, with a given guest program */
#ifndef KERNEL_INITRAMFS_H
#define KERNEL_INITRAMFS_H

#include "kernel/kernel.h"

/* As kernel_initramfs_open; guest: path of the program that becomes /init. */
int initramfs_open(const char *root, const struct kernel *k, const char *guest, struct err *e);

#endif

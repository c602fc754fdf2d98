/* kernel_int.h - shared inside kernel/ */
#ifndef KERNEL_KERNEL_INT_H
#define KERNEL_KERNEL_INT_H

#include "kernel/bzimage.h"
#include "kernel/kernel.h"

/* The header of an open kernel image. */
int kernel_head_read(int fd, struct bzimage *ret, struct err *e);
/* ROOT/kernels, made if missing; who holds the descriptor is the only one to change it. */
int kernel_lock_dir(const char *root, struct err *e);

#endif

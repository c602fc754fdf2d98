/* kernel_int.h - shared inside kernel/ */
#ifndef KERNEL_KERNEL_INT_H
#define KERNEL_KERNEL_INT_H

#include "kernel/bzimage.h"
#include "kernel/kernel.h"

/* The header of an open kernel image. */
int kernel_head_read(int fd, struct bzimage *ret, struct err *e);
/* ROOT/kernels, made if missing; who holds the descriptor is the only one to change it. */
int kernel_lock_dir(const char *root, struct err *e);

struct kernel_import {
	const char *path, *modules; /* as for kernel_import */
	const char *const *notes; /* files of `modules` to keep beside the kernel, NULL-terminated; or NULL */
};

int kernel_import_noted(const char *root, const struct kernel_import *im, char **ret_version, struct err *e);
/* Removes from ROOT/kernels, which is locked, what a build that was killed has left. */
void kernel_build_sweep(int kernels);

#endif

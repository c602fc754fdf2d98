/* kernel.h - guest kernels: those of the store (ROOT/kernels/VERSION) and the host's own in /boot */
#ifndef KERNEL_KERNEL_H
#define KERNEL_KERNEL_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

struct kernel {
	char *version; /* "6.1.0-25-cloud-amd64": as the image itself says */
	char *image; /* path of vmlinuz */
	char *modules; /* path of its modules (what is /lib/modules/VERSION on a host) */
	int in_store; /* 0: the host's */
	uint64_t size_bytes;
};

void kernel_done(struct kernel *k);
/* version NULL: the newest of the store, else the host's newest.  -ENOENT with the fix in the message. */
int kernel_find(const char *root, const char *version, struct kernel *ret, struct err *e);
/* Newest first, store before host; *ret freed by kernels_free. */
int kernel_list(const char *root, struct kernel **ret, size_t *ret_n, struct err *e);
void kernels_free(struct kernel *k, size_t n);
/* A vmlinuz with its modules directory (may be NULL), or a linux-image .deb.  *ret_version is owned. */
int kernel_import(const char *root, const char *path, const char *modules, char **ret_version, struct err *e);
/* A line for people while a build goes on. */
typedef void (*kernel_progress)(void *arg, const char *line);

struct kernel_build_request {
	const char *source; /* directory or archive of Linux's source; NULL: Debian's package */
	unsigned jobs;
	const char *keep; /* an empty directory to build in, which stays; NULL: below root, which goes */
	kernel_progress progress; /* may be NULL */
	void *progress_arg;
};

/* Configures and compiles a guest kernel and takes it into the store; an archive of which the store has one is not
 * built again.  SIGINT, SIGTERM and SIGHUP end it: -ECANCELED, nothing stays.  *ret_version is owned. */
int kernel_build(const char *root, const struct kernel_build_request *rq, char **ret_version, struct err *e);
int kernel_remove(const char *root, const char *version, struct err *e);
/* Descriptors (O_RDONLY): the kernel; the initramfs for it, made on first use and cached below root. */
int kernel_image_open(const struct kernel *k, struct err *e);
/* The kernel unpacked, an ELF file to be started at its PVH entry: cached below root; the image itself
 * where that cannot be. */
int kernel_unpacked_open(const char *root, const struct kernel *k, struct err *e);
int kernel_initramfs_open(const char *root, const struct kernel *k, struct err *e);

#endif

/* mount.h - mounts by descriptor: made detached, changed, then attached to a place that was opened once
 *
 * All need Linux 5.12.  Return a descriptor (O_CLOEXEC) or 0, or -errno.
 */
#ifndef SYS_MOUNT_H
#define SYS_MOUNT_H

#include <stdbool.h>
#include <stdint.h>

/* A new detached mount of file system `type`.  opts: "key=value,flag,..." (no value above 255 bytes, none with
 * a comma) or NULL.  attr: MOUNT_ATTR_*. */
int mount_new(const char *type, const char *opts, unsigned attr);
/* The same with a source other than the type's name, and MS_* of the file system itself. */
struct fs_request {
	const char *type, *source, *opts; /* source, opts: NULL: none */
	unsigned long super; /* MS_RDONLY, MS_SYNCHRONOUS, MS_DIRSYNC, MS_MANDLOCK, MS_LAZYTIME */
};
int mount_make(const struct fs_request *rq, unsigned attr);
/* mount(2) on what `place` (O_PATH) names, for what mount_make does not take: long values, quotes, MS_I_VERSION. */
int mount_make_at(const struct fs_request *rq, unsigned attr, int place);
/* Changes the file system that is mounted there. */
int mount_reconfigure(const struct fs_request *rq, int place);
/* mount(2) on the path `place`: takes a page of options, where mount_new takes 255 bytes each. */
int mount_at(const char *type, const char *place, const char *opts);
/* A detached copy of the mount at fd (a directory or a file), with what is mounted below if `deep`. */
int mount_clone(int fd, bool deep);
/* The same of what a path (relative: to the current directory) names. */
int mount_clone_path(const char *path, bool deep);
/* Sets and clears MOUNT_ATTR_*; `deep` also below. */
int mount_change(int mnt, uint64_t set, uint64_t clear, bool deep);
/* type: MS_PRIVATE (nothing propagates), MS_SLAVE, MS_SHARED, MS_UNBINDABLE. */
int mount_set_propagation(int mnt, uint64_t type, bool deep);
/* Shows owners through the ID map of a user namespace (Linux 5.12, per file system). */
int mount_set_idmap(int mnt, int userns, bool deep);
/* Attaches a detached mount on top of what `target` (O_PATH) names. */
int mount_attach(int mnt, int target);
/* The propagation of every mount of this namespace. */
int mount_set_all(uint64_t propagation);
/* Makes the attached mount `root` the root of this mount namespace and lets go of the old one.  -EXDEV: the caller is
 * in a chroot, and the namespace's root is another. */
int mount_pivot(int root);
/* For a namespace whose root cannot be exchanged (initramfs): enters the mount `root` on top of it. */
int mount_enter_root(int root);

#endif

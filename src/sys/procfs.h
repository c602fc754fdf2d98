/* procfs.h - files of the calling process in a procfs that is proven to be one (security.md A5)
 *
 * A root may have anything at /proc; what is written there must reach the kernel or fail.
 */
#ifndef SYS_PROCFS_H
#define SYS_PROCFS_H

/* proc: the root of a procfs that counts this process, whichever PID namespace it is of.  Opens the file of the calling
 * process below it ("attr/exec"): no link is followed and no other mount entered.  A descriptor, O_CLOEXEC; -EXDEV:
 * something is mounted there, or it is no procfs; -errno. */
int procfs_open_self(int proc, const char *file, int flags);

#endif

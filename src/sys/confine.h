/* confine.h - what a process gives up for good: descriptors, the file system, its user, system calls */
#ifndef SYS_CONFINE_H
#define SYS_CONFINE_H

#include <linux/filter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* All return 0 or -errno. */

/* Closes all but 0-2 and fds[0..n), which become close-on-exec.  -EBADF with *ret_bad: that one is not open. */
int confine_fds(const int *fds, unsigned n, int *ret_bad);
/* Makes an empty read-only directory the root of this mount namespace, which is the caller's own and private. */
int confine_root(void);
/* User and group `uid`, no further groups, of the capabilities only `caps` (1 << CAP_...) and none to be had back;
 * no_new_privs, not dumpable. */
int confine_user(uid_t uid, uint64_t caps);
/* No file system at all, where the kernel has Landlock.  It binds a thread and those that it starts later. */
int confine_files(void);

/* --- a filter of system calls: a list of those that pass; all others kill the process */

#define FILTER_MAX_INSNS 192

struct filter {
	struct sock_filter insns[FILTER_MAX_INSNS];
	unsigned short n;
};

/* Kills who is not of this architecture, then loads the number of the call. */
void filter_begin(struct filter *f);
/* The loaded word is allowed. */
void filter_allow(struct filter *f, uint32_t word);
/* Behind it, `n` instructions only where the loaded word is `word`: they must end with a filter_kill. */
void filter_if(struct filter *f, uint32_t word, uint8_t n);
/* Loads the low half of an argument of the call. */
void filter_load_arg(struct filter *f, unsigned i);
void filter_kill(struct filter *f);
/* Binds the calling thread, which must have no_new_privs.  -E2BIG: FILTER_MAX_INSNS are too few. */
int filter_enter(struct filter *f);

#endif

/* seccomp.c - loading a compiled system call filter */
#include "sys/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

#define TSYNC_LISTENER (SECCOMP_FILTER_FLAG_TSYNC | SECCOMP_FILTER_FLAG_NEW_LISTENER)

int seccomp_install(const struct sock_fprog *f, uint32_t flags)
{
	long r;

	/* Both have something to return; so the kernel wants it said what a thread that cannot follow is (since 5.7). */
	if ((flags & TSYNC_LISTENER) == TSYNC_LISTENER)
		flags |= SECCOMP_FILTER_FLAG_TSYNC_ESRCH;
	r = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, f);
	if (r < 0)
		return -errno;
	return r > 0 && !(flags & SECCOMP_FILTER_FLAG_NEW_LISTENER) ? -ESRCH : (int)r;
}

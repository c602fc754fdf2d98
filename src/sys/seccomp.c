/* seccomp.c - loading a compiled system call filter */
#include "sys/seccomp.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <sys/syscall.h>
#include <unistd.h>

int seccomp_load(const struct sock_fprog *f)
{
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, f) < 0 ? -errno : 0;
}

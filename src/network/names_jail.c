/* names_jail.c - what the worker of ketch-net gives up before it reads the first byte from a network */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "network/names_int.h"
#include "sys/confine.h"
#include "sys/mount.h"
#include "sys/ns.h"

#define UID_WORKER                                                                                           \
	0x71000000U /* beside those of ketch-vmm (vm/steps.c); every network's worker has no files to share */
#define MEMORY_MAX (64ULL << 20)
#define FDS_MORE   8 /* of a loop, and while something is looked at */

static const int calls[] = {
	SYS_recvmmsg,	   SYS_sendmmsg, /* clients by UDP */
	SYS_recvfrom,	   SYS_sendto,		SYS_recvmsg, /* resolvers, clients by TCP, the keeper */
	SYS_read, /* files that the keeper has opened */
	SYS_connect,	   SYS_accept4,		SYS_close,	   SYS_getsockopt,
	SYS_shutdown,	   SYS_getsockname,	SYS_epoll_create1, SYS_epoll_ctl,
	SYS_epoll_wait,	   SYS_getrandom, /* ids of questions */
	SYS_clock_gettime, /* where the clock cannot be read without the kernel */
	SYS_brk,	   SYS_munmap,		SYS_mremap,	   SYS_madvise, /* malloc */
	SYS_sysinfo, /* qsort */
	SYS_futex,	   SYS_restart_syscall, SYS_rt_sigreturn,  SYS_exit_group,
};

/* mmap: never memory that is code; socket: only to resolvers. */
static int seal(void)
{
	struct filter f;

	filter_begin(&f);
	filter_if(&f, SYS_socket, 6);
	filter_load_arg(&f, 0);
	filter_allow(&f, AF_INET);
	filter_allow(&f, AF_INET6);
	filter_kill(&f);
	filter_if(&f, SYS_mmap, 6);
	filter_load_arg(&f, 2);
	filter_allow(&f, 0); /* PROT_NONE */
	filter_allow(&f, 3); /* PROT_READ | PROT_WRITE */
	filter_kill(&f);
	for (size_t i = 0; i < ARRAY_LEN(calls); i++)
		filter_allow(&f, (uint32_t)calls[i]);
	filter_kill(&f);
	return filter_enter(&f);
}

static int limit(unsigned most_fds)
{
	const struct {
		__rlimit_resource_t what;
		rlim_t most;
	} limits[] = {
		{ RLIMIT_NOFILE, most_fds }, { RLIMIT_NPROC, 0 },	{ RLIMIT_CORE, 0 },
		{ RLIMIT_FSIZE, 0 },	     { RLIMIT_AS, MEMORY_MAX },
	};

	for (size_t i = 0; i < ARRAY_LEN(limits); i++)
		if (setrlimit(limits[i].what, &(struct rlimit){ limits[i].most, limits[i].most }) < 0)
			return -errno;
	return 0;
}

int names_jail(const int *fds, unsigned n, unsigned opens)
{
	int bad, r = confine_fds(fds, n, &bad);

	/* the network stays that of the host: from there it asks the host's resolvers */
	if (r == 0)
		r = ns_unshare(CLONE_NEWNS | CLONE_NEWIPC | CLONE_NEWUTS);
	if (r == 0)
		r = mount_set_all(MS_PRIVATE);
	if (r == 0)
		r = confine_root();
	if (r == 0)
		r = limit(n + opens + FDS_MORE);
	if (r == 0)
		r = confine_user(UID_WORKER, 0);
	if (r == 0)
		r = confine_files();
	return r < 0 ? r : seal();
}

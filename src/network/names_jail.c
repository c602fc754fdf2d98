/* names_jail.c - what the worker of ketch-net gives up before it reads the first byte from a network */
#include <sys/socket.h>
#include <sys/syscall.h>

#include "base/auto.h"
#include "network/jail.h"
#include "network/names_int.h"
#include "sys/confine.h"

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

/* The network stays that of the host: from there it asks the host's resolvers. */
int names_jail(const int *fds, unsigned n, unsigned opens)
{
	return jail_enter(&(struct jail){
		.fds = fds, .n_fds = n, .opens = opens, .uid = JAIL_UID_WORKER, .seal = seal });
}

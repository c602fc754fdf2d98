/* jail.h - what a process of ketch-net gives up before it begins its work */
#ifndef NETWORK_JAIL_H
#define NETWORK_JAIL_H

#include <stdint.h>
#include <sys/types.h>

/* Beside those of ketch-vmm (vm/steps.c); no network's process has files to share. */
#define JAIL_UID_WORKER 0x71000000U
#define JAIL_UID_MAKER	0x71000001U /* of pool.h, so that no worker could signal it */

struct jail {
	const int *fds; /* what it keeps */
	unsigned n_fds, opens; /* and so many that it opens */
	int writes_fd; /* a directory below which it opens files to write them; 0: none */
	uid_t uid;
	uint64_t caps; /* 1 << CAP_... */
	int (*seal)(void); /* its system calls; the last thing done */
};
/* A root without anything, limits, the user, and all that *j says.  The network stays that of the host.  0 or -errno. */
int jail_enter(const struct jail *j);

#endif

/* keyring.c - the session keyring of the calling process */
#include "sys/keyring.h"

#include <errno.h>
#include <linux/keyctl.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/* Rights are a byte each for possessor, user, group and others (keyrings(7)). */
#define SEARCH	    0x08u
#define USER_SEARCH (SEARCH << 16)

/* "keyring;0;0;3f130000;_ses.c1": the rights are the fourth word, in hexadecimal digits. */
static int get_rights(long key, unsigned *ret)
{
	char text[256];
	long n = syscall(SYS_keyctl, KEYCTL_DESCRIBE, key, text, sizeof(text));

	if (n < 0)
		return -errno;
	text[sizeof(text) - 1] = '\0';
	return sscanf(text, "%*[^;];%*[^;];%*[^;];%x;", ret) == 1 ? 0 : -EPROTO;
}

int keyring_join_session(const char *name, bool for_others)
{
	long key = syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, name);
	unsigned rights;
	int r;

	if (key < 0)
		return errno == ENOSYS ? 0 : -errno;
	if (!name)
		return 0;
	/* found by name it must be searchable, or the next process of the container makes one of its own */
	r = get_rights(key, &rights);
	if (r < 0)
		return r;
	rights |= for_others ? SEARCH : USER_SEARCH;
	return syscall(SYS_keyctl, KEYCTL_SETPERM, key, rights) < 0 ? -errno : 0;
}

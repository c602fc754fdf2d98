/* keyring.h - the session keyring of the calling process (keyrings(7)) */
#ifndef SYS_KEYRING_H
#define SYS_KEYRING_H

#include <stdbool.h>

/* Joins the session keyring of this name, made if it is missing (NULL: a new one without a name), so that the keys of
 * whoever started us are out of reach.  Who may find it by name: other UIDs of a user namespace with for_others, else our
 * own UID.  0, also where the kernel has no keyrings: there are no keys to hide; -EDQUOT: this user has too many;
 * -errno. */
int keyring_join_session(const char *name, bool for_others);

#endif

/* subid.h - /etc/subuid and /etc/subgid: which IDs a user may lend to user namespaces (subuid(5)) */
#ifndef SYS_SUBID_H
#define SYS_SUBID_H

#include <stdbool.h>
#include <stdint.h>

struct subid_range {
	uint32_t first, count;
};

/* The first range in the file that one of the users (NULL-terminated) has and that has at least so many IDs, none of them
 * below that number: the host's own are there. */
bool subid_find(const char *file, const char *const *users, uint32_t least, struct subid_range *ret);

#endif

/* caps.h - capabilities(7): names, the kernel's set, and setting the five sets of the calling thread */
#ifndef SYS_CAPS_H
#define SYS_CAPS_H

#include <stdint.h>

/* "CAP_CHOWN", "chown" -> 0; any case, with or without the prefix; -EINVAL. */
int cap_from_name(const char *name);
/* "CAP_CHOWN"; NULL for a number without a name. */
const char *cap_name(int cap);
/* Every capability that both this kernel and the table of names have, as bits. */
uint64_t caps_all(void);

#endif

/* caps.h - capability names and the five sets of the calling process */
#ifndef SYS_CAPS_H
#define SYS_CAPS_H

#include <stdbool.h>
#include <stdint.h>

/* One bit a capability: 1 << CAP_CHOWN ... */
struct cap_sets {
	uint64_t bounding, permitted, effective, inheritable, ambient;
};

/* "CAP_CHOWN" or "chown", any case: its number, or -EINVAL. */
int cap_from_name(const char *name);
/* "CAP_CHOWN"; NULL when unknown. */
const char *cap_name(int number);
/* Every capability that both this kernel and the table of names have. */
uint64_t caps_all(void);
uint64_t caps_bounding(void); /* of this process */
/* The sets of this process but for the bounding one, which stays as it is.  0 or -errno. */
int caps_get(struct cap_sets *ret);
/* Drops from the bounding set what `keep` lacks: when it is 0, nothing else is left.  Needs CAP_SETPCAP unless all is
 * kept. */
int caps_limit_bounding(uint64_t keep);
/* Sets permitted, effective, inheritable and ambient. */
int caps_set(const struct cap_sets *s);
/* Keeps the permitted set over a change from uid 0 (until exec). */
int caps_keep_over_setuid(bool on);

#endif

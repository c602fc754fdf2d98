/* ranges.h - the kernel's lists of small numbers: "0-3,7" (CPUs, memory nodes) */
#ifndef BASE_RANGES_H
#define BASE_RANGES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RANGES_MAX 8192 /* CPUs: the most that Linux can be built for */

/* Start from { 0 }. */
struct ranges {
	uint8_t bits[RANGES_MAX / 8]; /* number n is bit n % 8 of byte n / 8 */
};

/* 0; -EINVAL: no such list, or an empty one; -ERANGE: a number that is too large. */
int ranges_parse(const char *text, struct ranges *ret);
unsigned ranges_count(const struct ranges *r);
/* Has `all` every number of r? */
bool ranges_within(const struct ranges *r, const struct ranges *all);
/* How many bytes of `bits` it takes to hold them. */
size_t ranges_bytes(const struct ranges *r);

#endif

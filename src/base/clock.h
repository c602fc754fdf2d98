/* clock.h - the time of day and RFC 3339 text */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define NS_PER_S    INT64_C(1000000000)
#define RFC3339_LEN 31 /* "2026-11-20T16:37:48.123456789Z" and the NUL */

int64_t clock_real_ns(void);
int64_t clock_mono_ns(void);
/* UTC with nanoseconds, always 30 characters. */
void rfc3339_format(int64_t real_ns, char ret[RFC3339_LEN]);
/* RFC 3339 with any offset and up to 9 digits of a second, years 1678..2261; 0 or -EINVAL. */
int rfc3339_parse(const char *s, int64_t *ret_real_ns);
/* "2 minutes", "3 hours": as docker ps words a duration.  Borrowed static text is never returned. */
void duration_words(int64_t ns, char *ret, size_t n);

#endif

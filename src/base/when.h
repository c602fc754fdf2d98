/* when.h - durations and moments as a user types them
 *
 * Return 0, or -EINVAL (not such a text) or -ERANGE (too large); *ret is set only on success.
 */
#ifndef BASE_WHEN_H
#define BASE_WHEN_H

#include <stdint.h>

/* Go's durations, as Docker takes them: "10m", "1h30m", "1.5s", "300ms"; "0" needs no unit.  Never negative. */
int parse_duration(const char *s, int64_t *ret_ns);
/* RFC 3339, whole or cut short behind the day, the hour, the minute or the second, and without a zone in the caller's own (TZ),
 * as Docker's client has it; seconds since 1970 ("1700000000", "1700000000.25"); or a duration before now ("10m"). */
int parse_when(const char *s, int64_t now_ns, int64_t *ret_real_ns);

#endif

/* parse.h - strict numbers, sizes and names: any doubt is an error, never a default
 *
 * Return 0, or -EINVAL (not such a text) or -ERANGE (too large); *ret is set only on success.
 */
#ifndef BASE_PARSE_H
#define BASE_PARSE_H

#include <stdbool.h>
#include <stdint.h>

/* Decimal digits only: no sign, no blank; leading zeros are allowed. */
int parse_u32(const char *s, uint32_t *ret);
int parse_u64(const char *s, uint64_t *ret);
/* As parse_u64 with an optional '-'. */
int parse_i64(const char *s, int64_t *ret);
/* Docker's sizes: a number, maybe with a fraction, and b, k, m, g or t (maybe "ib" or "b" behind), base 1024. */
int parse_bytes(const char *s, uint64_t *ret);
/* "1.5" -> 1500 (thousandths; finer digits are refused). */
int parse_milli(const char *s, uint64_t *ret);
/* Octal digits only, up to 07777. */
int parse_mode(const char *s, uint32_t *ret);
/* "SIGTERM", "TERM", "term", "15", "RTMIN+3" -> number of a signal, 1..64. */
int parse_signal(const char *s, int *ret);
/* Docker's rule for names of instances: [a-zA-Z0-9][a-zA-Z0-9_.-]*, here 2..128 characters. */
bool is_instance_name(const char *s);
#define SNAPSHOT_NAME_MAX 63
/* The same letters, 1..SNAPSHOT_NAME_MAX of them. */
bool is_snapshot_name(const char *s);
/* Bytes of s as n*2 lower-case hex digits and a NUL in ret. */
void hex_encode(const void *s, unsigned n, char *ret);
/* Exactly n*2 lower-case hex digits. */
int hex_decode(const char *s, unsigned n, void *ret);

#endif

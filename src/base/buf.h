/* buf.h - a growable byte buffer that is also a NUL-terminated string
 *
 * Start from { 0 }.  Once an allocation fails the buffer is `failed`, later writes do nothing, and
 * buf_ok tells: so a run of appends needs one check at its end.
 */
#ifndef BASE_BUF_H
#define BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>

struct buf {
	char *data; /* NULL or NUL-terminated; owned */
	size_t len; /* bytes without the NUL */
	size_t cap;
	bool failed;
};

void buf_done(struct buf *b);
bool buf_ok(const struct buf *b);
void buf_add(struct buf *b, const void *data, size_t n);
void buf_adds(struct buf *b, const char *s);
void buf_addc(struct buf *b, char c);
void buf_addf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* As Go's url.QueryEscape: what may not stand in a URL's query is "%41", a blank is "+". */
void buf_add_query(struct buf *b, const char *s, size_t n);
/* Removes the first n bytes (n <= len). */
void buf_drop(struct buf *b, size_t n);
/* Makes room for n more bytes and returns where they go, or NULL; the caller adds to len itself. */
char *buf_room(struct buf *b, size_t n);
/* The string, owned by the caller; "" if nothing was added, NULL if failed.  b is empty afterwards. */
char *buf_take(struct buf *b);
/* printf into new memory; NULL only when memory is out. */
/* *ret: a copy on the heap, NULL of NULL; 0 or -ENOMEM. */
int str_copy(const char *text, char **ret);
char *str_printf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Control characters, also U+0080 to U+009F (some terminals obey those), become "?". */
void str_make_printable(char *s);

#endif

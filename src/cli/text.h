/* text.h - foreign text, sizes and times as a terminal may see them */
#ifndef CLI_TEXT_H
#define CLI_TEXT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"

/* Appends s with '?' for what could move the cursor or turn the line: control characters (C0, DEL, C1), marks
 * of direction, line separators, and bytes that are not UTF-8.  Returns the number of characters. */
size_t text_add(struct buf *b, const char *s);
/* The same, but at most max characters, the last of them a "…" when s is longer. */
void text_add_cut(struct buf *b, const char *s, size_t max);
/* Our own ASCII text, its lines broken at blanks to be at most width long; ends with a newline. */
void text_add_wrapped(struct buf *b, const char *text, size_t width);
/* A size in Docker's form, base 1000, three digits: "72.8MB". */
void text_add_size(struct buf *b, uint64_t bytes);
/* "3 minutes ago"; both are times of day. */
void text_add_ago(struct buf *b, int64_t now_ns, int64_t then_ns);
/* "2026-11-20T16:37:48.123456789Z"; Docker's zero time when ns is 0. */
void text_add_time(struct buf *b, int64_t ns);
/* "2026-11-20 16:37:48 +0100 CET": as docker ps and images print it. */
void text_add_local_time(struct buf *b, int64_t ns);
/* The first 12 digits of an id, "sha256:" left out. */
void text_add_short_id(struct buf *b, const char *id);

/* Columns padded as Docker pads them: three blanks between, at least ten characters wide. */
struct table {
	size_t columns;
	struct buf cells; /* each ends with a NUL */
};

/* Begins with the headings: a list that ends with NULL. */
void table_start(struct table *t, const char *const *headings);
/* Appends the next cell; the text is made safe. */
void table_add(struct table *t, const char *text);
/* Appends what is in b as the next cell and empties b. */
void table_add_buf(struct table *t, struct buf *b);
/* Appends the lines to out; -ENOMEM if anything was short of memory. */
int table_print(const struct table *t, struct buf *out);
void table_done(struct table *t);

#endif

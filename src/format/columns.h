/* columns.h - lines with tabs become columns, as Go's text/tabwriter does it for Docker */
#ifndef FORMAT_COLUMNS_H
#define FORMAT_COLUMNS_H

#include "base/buf.h"

/* Appends the lines of text (n bytes): what a tab ends is padded so that it and three blanks, or ten characters at
 * least, are as wide as the same cell of the lines above and below it which have such a cell, too. */
void columns_add(struct buf *out, const char *text, size_t n);

#endif

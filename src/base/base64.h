/* base64.h - base64 (RFC 4648, section 4), with its padding; pure */
#ifndef BASE_BASE64_H
#define BASE_BASE64_H

#include "base/buf.h"

void base64_add(struct buf *b, const void *data, size_t n);
/* Appends what text (n characters) stands for; the padding may be missing.  -EINVAL: it is no base64. */
int base64_decode(struct buf *b, const char *text, size_t n);

#endif

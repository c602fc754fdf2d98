/* embedded.h - data/spec*.json inside the program; made by tools/embed at build time */
#ifndef OCICLI_EMBEDDED_H
#define OCICLI_EMBEDDED_H

#include <stddef.h>

extern const char embedded_spec[], embedded_spec_rootless[];
extern const size_t embedded_spec_len, embedded_spec_rootless_len;
extern const char embedded_spec_digest[], embedded_spec_rootless_digest[];

#endif

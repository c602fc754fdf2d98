/* embedded.h - data/seccomp.json inside the program; made by tools/embed at build time */
#ifndef SECCOMP_EMBEDDED_H
#define SECCOMP_EMBEDDED_H

#include <stddef.h>

extern const char embedded_profile[];
extern const size_t embedded_profile_len;
extern const char embedded_profile_digest[]; /* SHA-256, hex */

#endif

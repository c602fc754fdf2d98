/* embedded.h - data/kernel/ketch-x86_64.config inside the program; made by tools/embed at build time */
#ifndef KERNEL_EMBEDDED_H
#define KERNEL_EMBEDDED_H

#include <stddef.h>

extern const char embedded_kconfig[]; /* a string */
extern const size_t embedded_kconfig_len;
extern const char embedded_kconfig_digest[]; /* SHA-256, hex */

#endif

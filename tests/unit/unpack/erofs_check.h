/* erofs_check.h - is this an EROFS as ours must be?  Stricter than the kernel and fsck.erofs; knows none of the writer's code */
#ifndef TESTS_EROFS_CHECK_H
#define TESTS_EROFS_CHECK_H

#include <stddef.h>

/* NULL: all is well; else the rule that is broken. */
const char *erofs_check(const unsigned char *file, size_t n);

#endif

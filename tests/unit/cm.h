/* cm.h - cmocka with what it needs in front of it */
#ifndef TESTS_CM_H
#define TESTS_CM_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Debian's static busybox; test.sh names its own, so that the machine needs none. */
static inline const char *test_busybox(void)
{
	const char *path = getenv("KETCH_TEST_BUSYBOX");

	return path ? path : "/bin/busybox";
}

#endif

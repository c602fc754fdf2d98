/* run.h - a helper program run to its end */
#ifndef SYS_RUN_H
#define SYS_RUN_H

#include "base/buf.h"

#define RUN_MAX_SAID 2000 /* bytes of what it said on stderr that are kept */

/* Runs argv (looked up in PATH) with /dev/null as stdin and stdout and no other descriptor than `keep` (-1: none),
 * which it finds under the same number.  After timeout_ms it is killed: -ETIMEDOUT.  *ret_status: its exit status, or
 * 128 + signal.  `said` gets the beginning of its stderr. */
int run_program(const char *const argv[], int keep, int timeout_ms, struct buf *said, int *ret_status);

#endif

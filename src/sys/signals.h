/* signals.h - what the calling process does about signals */
#ifndef SYS_SIGNALS_H
#define SYS_SIGNALS_H

#include <stdbool.h>
#include <stdint.h>

/* The signals that this process ignores, which a program it executes would go on to ignore: bit N - 1 for signal N.  All
 * bits where /proc does not tell. */
uint64_t signals_ignored(void);
/* Gives these back their default action. */
void signals_reset(uint64_t which);

/* Blocks all: who runs a program in the foreground passes on to it what comes from here on, instead of ending by it. */
void signals_hold(void);

/* Is the process to end by SIGINT, SIGTERM, SIGHUP or SIGQUIT, which it holds back (blocks)?  Whoever waits for others asks. */
bool signals_want_end(void);

#endif

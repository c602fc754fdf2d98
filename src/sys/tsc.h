/* tsc.h - the time stamp counter of x86 */
#ifndef SYS_TSC_H
#define SYS_TSC_H

#include <stdint.h>

/* How many thousand ticks it makes in a second, measured against CLOCK_MONOTONIC over a few milliseconds; 0: there is
 * none. */
uint64_t tsc_measure_khz(void);

#endif

/* tsc.c - the time stamp counter of x86 */
#include "sys/tsc.h"

#ifdef __x86_64__

#include <poll.h>
#include <x86intrin.h>

#include "base/clock.h"

#define MEASURE_MS 4 /* two readings are less than 100 ns off: 25 ppm */

/* A reading of both: of several, the one with the least time between. */
static void read_both(uint64_t *ret_tsc, int64_t *ret_ns)
{
	int64_t best = INT64_MAX;

	for (int i = 0; i < 8; i++) {
		int64_t before = clock_mono_ns();
		uint64_t tsc = __rdtsc();
		int64_t after = clock_mono_ns();

		if (after - before >= best)
			continue;
		best = after - before;
		*ret_tsc = tsc;
		*ret_ns = before + best / 2;
	}
}

uint64_t tsc_measure_khz(void)
{
	uint64_t t0 = 0, t1 = 0;
	int64_t ns0 = 0, ns1 = 0;

	read_both(&t0, &ns0);
	poll(NULL, 0, MEASURE_MS);
	read_both(&t1, &ns1);
	return ns1 > ns0 && t1 > t0 ? (t1 - t0) * 1000000 / (uint64_t)(ns1 - ns0) : 0;
}

#else

uint64_t tsc_measure_khz(void)
{
	return 0;
}

#endif

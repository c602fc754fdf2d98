/* sample.h - what instances use now, read again and again: for ketch stats and ketch top */
#ifndef CLI_SAMPLE_H
#define CLI_SAMPLE_H

#include "cli/cli.h"
#include "engine/ask.h"

#define SAMPLE_FIRST_MS 250 /* between the first two readings, which the first CPU percentages are made of */

struct sample {
	struct instance in;
	struct usage now;
	bool answered; /* else it does not run, or does not answer: `now` is 0 */
	bool compared; /* there is an earlier reading: the percentages are known */
	double cpu_percent, host_cpu_percent; /* 100: one CPU */
};

/* Start from { 0 }.  The readings of this time, and of the last. */
struct samples {
	struct sample *v;
	size_t n;
	struct sample *before;
	size_t n_before;
};

/* Reads the instances of these names, or without one all (all: also those that do not run).  0 or -errno. */
int samples_take(struct samples *s, struct engine *en, const struct strv *names, bool all, struct err *e);
void samples_done(struct samples *s);

/* Bytes that the workload uses: without the cache that can be had back, as Docker counts. */
uint64_t sample_memory(const struct sample *s);
/* What the host has given for it: of a VM all of the hypervisor's. */
uint64_t sample_host_memory(const struct sample *s);
/* "1.5MiB": Docker's form for memory, base 1024, four digits. */
void add_binary_size(struct buf *b, uint64_t bytes);

#endif

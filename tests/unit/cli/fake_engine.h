/* fake_engine.h - an engine, a store and kernels that do nothing and write down what they are asked */
#ifndef TESTS_CLI_FAKE_ENGINE_H
#define TESTS_CLI_FAKE_ENGINE_H

#include "base/buf.h"
#include "engine/engine.h"

/* What the fake has and what happened to it; tests set and read it. */
struct fake {
	struct buf calls; /* one a line */
	const struct instance *instances; /* found by name or id */
	size_t n_instances;
	const struct image *images; /* found by id or first reference */
	size_t n_images;
	int exit_status; /* how processes end; -1: the start fails with 127 */
	int fail_no; /* what engine_open, engine_create and engine_start fail with at `fail_in`; 0: they work */
	const char *fail_in; /* "open", "create", "start" */
};

extern struct fake fake;

#endif

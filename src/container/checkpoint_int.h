/* checkpoint_int.h - what checkpoint.c and restore.c agree on */
#ifndef CONTAINER_CHECKPOINT_INT_H
#define CONTAINER_CHECKPOINT_INT_H

#include "base/json.h"
#include "base/strv.h"

/* The name of its network namespace in images. */
#define CHECKPOINT_NET "extRootNetNS"

#define STREAMS_FILE "streams.json"
#define STREAMS_MAX  4096
struct checkpoint_streams {
	struct strv names; /* of 0, 1 and 2: "pipe:[1234]" as the kernel calls it; "": it is not ours */
	int64_t uid; /* whose these pipes are, so that they can be opened again by name */
};
extern const struct jtable checkpoint_streams_table;

#endif

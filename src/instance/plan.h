/* plan.h - what will be done, as a list of steps: made without touching anything, then applied
 *
 * A back end's `plan` is pure: spec and host facts in, steps out.  Each kind of step is one row (struct
 * step_op) of that back end: its name, where it runs and the function that does it.  --dry-run and the
 * golden tests print plans with plan_print.
 *
 * Sources that the engine opened are named "fd:NAME" (see boot.h), never by path.
 */
#ifndef INSTANCE_PLAN_H
#define INSTANCE_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

struct step;

/* Where a step runs: in the monitor before and around the new process, or inside its namespaces. */
enum stage { STAGE_HOST, STAGE_INSIDE, STAGE_N };

struct step_op {
	const char *name;
	enum stage stage;
	/* 0 or a negative errno with e filled.  ctx is the back end's own. */
	int (*apply)(void *ctx, const struct step *s, struct err *e);
};

struct step {
	const struct step_op *op;
	char *what; /* the object: a path inside, a cgroup file, a limit's name */
	char *from; /* the source, or NULL */
	char *data; /* options, a value, or NULL */
	char *place; /* where the caller's document asks for it ("mounts[2]"): its errors begin with that, and one that
			* begins with "." itself names a member of it; or NULL */
	uint64_t flags; /* printed in hexadecimal unless 0 */
};

struct plan {
	struct step *steps;
	size_t n;
};

/* Appends a step; the strings are copied, NULL stays NULL.  0 or -ENOMEM. */
int plan_add(struct plan *p, const struct step_op *op, const char *what, const char *from, const char *data,
	     uint64_t flags);
/* The place of the step that was added last.  0 or -ENOMEM. */
int plan_set_place(struct plan *p, const char *place);
/* Applies the steps of one stage in order; stops at the first failure, with its place or "step what: " in front. */
int plan_apply(const struct plan *p, enum stage stage, void *ctx, struct err *e);
/* One line a step: "host  cgroup-set    memory.max <- 67108864". */
void plan_print(const struct plan *p, struct buf *out);
void plan_done(struct plan *p);

#endif

/* rights.h - what a process may do: capability sets, limits, filter; the sets are computed by pure functions */
#ifndef CONTAINER_RIGHTS_H
#define CONTAINER_RIGHTS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/err.h"
#include "base/strv.h"
#include "container/user.h"
#include "instance/process.h"
#include "sys/caps.h"

/* The five sets of a process of this uid that is to have `caps` (names), as far as `have` (what we are permitted)
 * goes.  -EINVAL for an unknown name. */
int rights_cap_sets(const struct strv *caps, uid_t uid, uint64_t have, struct cap_sets *ret, struct err *e);

enum limit_fit {
	LIMIT_AS_ASKED,
	LIMIT_HARD_KEPT, /* the hard limit stays, which suffices for the soft one */
	LIMIT_CLAMPED, /* the soft limit is lower than asked */
};

/* What can be had of a limit where `hard` is the highest hard limit we may set. */
enum limit_fit rights_fit_limit(const struct rlimit_spec *asked, uint64_t hard, uint64_t *ret_soft,
				uint64_t *ret_hard);
/* The highest hard limit that this process can give; can_raise: with CAP_SYS_RESOURCE. */
int rights_highest_limit(int number, bool can_raise, uint64_t *ret);
/* Does this process have CAP_SYS_RESOURCE? */
bool rights_can_raise(void);
/* A sentence for every limit and capability of p that this host cannot give in full. */
int rights_warnings(const struct process *p, bool can_raise, struct strv *ret);

/* Inside, as root: sets the limits of p. */
int rights_apply_limits(const struct process *p, bool can_raise, struct err *e);
/* Inside, as root: becomes the user with exactly these sets. */
int rights_become(const struct user *u, const struct cap_sets *sets, struct err *e);

#endif

/* health.h - health checks: what is run to see whether an instance is well, and what came of it */
#ifndef INSTANCE_HEALTH_H
#define INSTANCE_HEALTH_H

#include "instance/process.h"
#include "oci/image.h"

#define HEALTH_RESULTS 5 /* kept, the last ones, as Docker does */
#define HEALTH_OUTPUT  4096 /* bytes of each */

enum health_status { HEALTH_NONE, HEALTH_STARTING, HEALTH_HEALTHY, HEALTH_UNHEALTHY, HEALTH_N };
extern const char *const health_names[]; /* "none", "starting", "healthy", "unhealthy", NULL */

struct health_result {
	int64_t start_ns, end_ns; /* time of day */
	int exit_code; /* -1: it took too long */
	char *output;
};

struct health_state {
	int status; /* enum health_status */
	int failing_streak;
	struct health_result *results; /* oldest first */
	size_t n_results;
};

extern const struct jtable health_state_table;

/* Is there a check?  Its times are then filled in. */
bool health_is_checked(const struct image_healthcheck *c);
/* The process of a check: that of the instance with other arguments.  0 or -ENOMEM; *ret by json_done. */
int health_process(const struct image_healthcheck *c, const struct process *main, struct process *ret);
/* How long to wait until the next check, at a time since the start. */
int64_t health_interval(const struct image_healthcheck *c, const struct health_state *s,
			int64_t since_start_ns);
/* Takes a result into account, which is kept (its output is taken).  since_start_ns: how long the instance had run when
 * the check began.  Returns whether the status is another now. */
bool health_note(const struct image_healthcheck *c, struct health_state *s,
		 const struct health_result *result_take, int64_t since_start_ns);

#endif

/* restart.h - does an instance that has ended run again, and when?  Docker's rules; pure */
#ifndef MONITOR_RESTART_H
#define MONITOR_RESTART_H

#include "instance/spec.h"

#define RESTART_MIN_MS	 100 /* the first wait; each next one is twice as long */
#define RESTART_MAX_MS	 60000
#define RESTART_STEADY_S 10 /* who ran that long begins with the first wait again */

/* ms to wait before it is started again, or -1.  s: of an end (exit_code, times, stopped_by_user), with what went before
 * (restarts, backoff_ms). */
int restart_wait_ms(const struct restart_policy *p, const struct instance_state *s);

#endif

/* doctor.h - what this host can do for Ketch, and the remedy for each thing missing */
#ifndef ENGINE_DOCTOR_H
#define ENGINE_DOCTOR_H

#include "engine/engine.h"

/* warn: Ketch works, with less; missing: something that is asked for will not work. */
enum doctor_status { DOCTOR_OK, DOCTOR_WARN, DOCTOR_MISSING, DOCTOR_STATUS_N };
extern const char *const doctor_status_names[]; /* "ok", "warn", "missing", NULL */

struct doctor_row {
	char *name; /* "cgroup memory" */
	int status; /* enum doctor_status */
	char *what; /* what was found, a phrase */
	char *fix; /* a command or a sentence; NULL when the status is ok */
};

struct doctor_report {
	struct doctor_row *rows; /* in the order to be shown */
	size_t n;
};

extern const struct jtable doctor_report_table; /* {"checks": [{"name": ..., "status": ...}]} */

/* Looks at everything; fails only when memory is out.  Takes at most about a second (KVM, once a boot). */
int engine_doctor(struct engine *en, struct doctor_report *ret, struct err *e);
void doctor_done(struct doctor_report *r);
/* The worst status of all rows: what an exit status is made of. */
int doctor_worst(const struct doctor_report *r);

#endif

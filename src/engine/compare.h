/* compare.h - the same workload behind both walls, measured
 *
 * Every number of the report was measured in this run.  What could not be measured is "-" with the reason in the
 * note; a whole wall that does not work here leaves its column empty and says why in container_error or vm_error.
 */
#ifndef ENGINE_COMPARE_H
#define ENGINE_COMPARE_H

#include "engine/engine.h"

struct compare_request {
	char *image;
	struct strv args; /* the workload; empty: the image's own command */
};

struct compare_row {
	char *group; /* "isolation", "overhead", "start", "throughput" */
	char *metric, *unit; /* unit: "" for words and plain counts */
	char *container, *vm; /* the values as text; "-": not measured */
	char *note; /* NULL: none */
};

struct compare_report {
	char *image, *workload; /* as text */
	char *container_error, *vm_error; /* why a wall could not be measured; NULL */
	struct compare_row *rows;
	size_t n;
};

extern const struct jtable compare_report_table;

/* Runs instances named ketch-compare-... and removes them; says what it does through the engine's progress.  Fails
 * when neither wall works. */
int engine_compare(struct engine *en, const struct compare_request *rq, struct compare_report *ret,
		   struct err *e);
void compare_done(struct compare_report *r);

#endif

/* processes.h - the processes of an instance as ps(1) would list them; pure */
#ifndef CLI_PROCESSES_H
#define CLI_PROCESSES_H

#include "base/strv.h"
#include "cli/text.h"
#include "instance/process_list.h"

struct processes_context {
	int64_t now_ns; /* time of day */
	uint64_t memory_bytes; /* all that there is: what %MEM is a part of */
};

/* The columns that the words of ps ask for, by name: none and "-ef": as ps -ef; "aux": as ps aux; "-o LIST", "-eo LIST", "o
 * LIST", "LIST" of names with commas.  -EINVAL: others. */
int processes_columns(const struct strv *options, struct strv *ret, struct err *e);
int processes_print(const struct process_list *l, const struct strv *columns,
		    const struct processes_context *c, struct buf *out);

#endif

/* process_list.h - the processes of an instance: the answer to MSG_TOP, in parts */
#ifndef INSTANCE_PROCESS_LIST_H
#define INSTANCE_PROCESS_LIST_H

#include "base/buf.h"
#include "base/err.h"
#include "base/json.h"

#define PROCESS_ARGS_MAX 4096 /* of a command line; the rest is cut off */

struct process_row {
	int pid, ppid; /* as the host (container) or the guest kernel (VM) counts */
	uint32_t uid; /* effective */
	char *state; /* "S" */
	int tty; /* device number; 0: none */
	int64_t start_ns; /* time of day */
	uint64_t cpu_ns, rss_bytes, vsz_bytes, threads;
	char *args; /* the command line, or "[name]" */
};

extern const struct jtable process_row_table;

struct process_list {
	struct process_row *v;
	size_t n;
};

void process_list_done(struct process_list *l);
/* Appends the rows of one part of an answer: a guest may send anything. */
int process_list_parse(const char *text, size_t n, struct process_list *l, struct err *e);

#endif

/* usage_int.h - what the files that print statistics share */
#ifndef CGROUP_USAGE_INT_H
#define CGROUP_USAGE_INT_H

#include "cgroup/ops.h"

/* The directory of one controller; dir NULL: there is none. */
struct usage_place {
	const char *dir;
	bool v2;
};

struct usage_place usage_place(const struct strv *record, const char *controller);
int usage_read_lines(const struct usage_place *p, const char *file, struct strv *ret);
/* Begins a member of an object, or an element of an array (name NULL): a comma stands before all but the first. */
void usage_member(struct buf *out, const char *name);
/* usage_io.c */
void usage_print_block_io(const struct strv *record, struct buf *out);

#endif

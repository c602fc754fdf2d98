/* answers.h - what is asked about the whole instance: statistics, its processes, new limits */
#ifndef CONTAINER_ANSWERS_H
#define CONTAINER_ANSWERS_H

#include "container/container_int.h"
#include "instance/stats.h"

/* What cannot be read stays 0. */
void answer_stats(const struct container *c, struct stats *ret);
/* Calls `part` with each part of a list of its processes (instance/process_list.h). */
void answer_top(const struct container *c, void (*part)(void *arg, const struct buf *json), void *arg);
/* JSON of struct instance_update: the limits that are given are set. */
int answer_update(struct container *c, const char *json, size_t n, struct err *e);

#endif

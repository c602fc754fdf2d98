/* control_int.h - between control.c (requests) and control_answer.c (what is said to them) */
#ifndef VMM_CONTROL_INT_H
#define VMM_CONTROL_INT_H

#include "vmm/control.h"

/* Adds to c->answer; what does not fit is lost. */
__attribute__((format(printf, 2, 3))) void control_say(struct control *c, const char *fmt, ...);
/* The same as a string of JSON. */
void control_say_quoted(struct control *c, const char *bytes, size_t n);
/* The request `stats`: exits of each vcpu by reason, counters of each device, memory of the balloon. */
void control_stats(struct control *c, const char *word);

#endif

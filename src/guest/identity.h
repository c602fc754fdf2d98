/* identity.h - a machine that was restored is another than it was: seed, host name, networks, before its workload goes on */
#ifndef GUEST_IDENTITY_H
#define GUEST_IDENTITY_H

#include "instance/spec.h"

/* Mixes n bytes of the host's random numbers into the kernel's pool and has it made use of at once. */
int identity_seed(const void *bytes, size_t n, struct err *e);
/* The instance whose first process is `pid` was `old` and is `now`. */
int identity_change(int pid, const struct instance_spec *old, const struct instance_spec *now, struct err *e);

#endif

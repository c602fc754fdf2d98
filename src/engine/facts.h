/* facts.h - what this host can do, gathered for plans */
#ifndef ENGINE_FACTS_H
#define ENGINE_FACTS_H

#include "instance/host.h"

/* Everything that is cheap: all but kvm.  What cannot be found out stays zero or NULL. */
void facts_gather(struct host_facts *ret);
/* kvm and kvm_reason: by running a guest once; the verdict is kept in run_fd/kvm.json for this boot and kernel. */
void facts_probe_kvm(int run_fd, struct host_facts *h);
/* The path of a program in PATH, owned; NULL: not found. */
char *facts_find_program(const char *name);

#endif

/* machine_memory.h - the memory of a virtual machine in a snapshot: taken while it runs, and given to a machine that goes on
 *
 * In the directory of the snapshot (snapshot_dir_open):
 *
 *	ram	guest RAM, sparse; machines map it privately (driver kvm)
 *	state	vcpus and devices (vmm/state.h); of QEMU all of its stream, with the RAM
 *	mac	HMAC-SHA256 of the state and of what it belongs to, with the key of this store (engine/memory_mac.h)
 */
#ifndef ENGINE_MACHINE_MEMORY_H
#define ENGINE_MACHINE_MEMORY_H

#include "engine/snapshot.h"

/* Why the memory of this instance cannot be in a snapshot, in e; 0: it can. */
int memory_can_save(const struct instance *in, struct err *e);

/* A machine being saved.  Start from { .fd = -1 }. */
struct memory_saving {
	struct engine *en;
	const struct instance *in;
	struct snapshot *s;
	int fd; /* to its monitor: it goes on, at the latest, when this is closed */
};
/* The RAM is written while it runs; fills s->memory. */
int memory_save_begin(struct memory_saving *m, struct err *e);
/* It stands still from now on. */
int memory_save_rest(struct memory_saving *m, struct err *e);
/* It goes on. */
int memory_save_go_on(struct memory_saving *m, struct err *e);
/* What was written is signed and durable. */
int memory_save_end(struct memory_saving *m, struct err *e);
void memory_saving_done(struct memory_saving *m);
/* Of a snapshot that did not come about. */
void memory_discard(struct engine *en, const struct snapshot *s);

/* With the lock of the snapshots of an instance, whose directory is `all`: what no row names goes, for whoever made it was killed. */
int memory_sweep(struct engine *en, const char *instance, int all, struct err *e);

/* Opens what a machine is restored from: *ret_state has the right mac, *ret_ram is -1 where the RAM is in it.  -ENOENT: there is
 * no memory in it. */
int memory_open(struct engine *en, const struct snapshot *s, int *ret_state, int *ret_ram, struct err *e);

#endif

/* ask.h - questions to a running instance, answered by its monitor (or the guest behind it) within ten seconds
 *
 * -ESRCH: it is not running; -ETIMEDOUT: it does not answer.
 */
#ifndef ENGINE_ASK_H
#define ENGINE_ASK_H

#include "engine/engine.h"
#include "instance/net_change.h"
#include "instance/process_list.h"
#include "instance/stats.h"
#include "instance/update.h"
#include "wire/msg.h"

/* What the workload uses; in a VM, as its guest says. */
int engine_ask_stats(struct engine *en, const struct instance *in, struct stats *ret, struct err *e);
/* Its processes, by ascending pid.  *ret by process_list_done. */
int engine_ask_top(struct engine *en, const struct instance *in, struct process_list *ret, struct err *e);
/* Sets the limits in what runs; engine_update does the rest. */
int engine_ask_update(struct engine *en, const struct instance *in, const struct instance_update *up,
		      struct err *e);
/* A running VM's guest comes onto a network or leaves one, with a card that it has; the host's side is the caller's. */
int engine_ask_network(struct engine *en, const struct instance *in, const struct net_change *c,
		       struct err *e);

/* Its monitor holds fd (borrowed), which may be -1, under this name, or lets go of what it holds so (wire/msg.h).
 * For who has the lock of the networks: a monitor that is just coming is not waited for. */
int engine_ask_port(struct engine *en, const struct instance *in, enum port_step step, const char *name,
		    int fd, struct err *e);

/* All that it has written is durable, and nothing of it writes until *ret_fd is closed, by whatever end of ours. */
int engine_hold(struct engine *en, const struct instance *in, int *ret_fd, struct err *e);

/* A step of saving a machine (enum save_step) into the snapshot with this id, SAVE_DISK: into the layer; *fd, -1 before the
 * first one, stays the caller's. */
int engine_save(struct engine *en, const struct instance *in, int *fd, enum save_step step, const char *id,
		struct err *e);

/* What an instance costs, from both sides. */
struct usage {
	int64_t at_ns; /* clock_mono_ns of the reading */
	struct stats inside;
	struct stats
		host; /* a VM: its hypervisor and file servers, of which the guest's memory is a part; else 0 */
	uint64_t memory_limit_bytes; /* of the workload: its own, or what the machine has */
	int cpus; /* that it may use at once */
};
int engine_usage(struct engine *en, const struct instance *in, struct usage *ret, struct err *e);

#endif

/* update.h - what MSG_UPDATE carries: what is to be changed of a running instance */
#ifndef INSTANCE_UPDATE_H
#define INSTANCE_UPDATE_H

#include "instance/spec.h"

struct instance_update {
	struct resources resources; /* all of its limits, as they are to be; pids 0: none */
	struct restart_policy restart; /* which the monitor acts on */
	struct snapshot_policy snapshots; /* the same */
};

extern const struct jtable instance_update_table;

#endif

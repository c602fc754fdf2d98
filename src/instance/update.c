/* update.c - what MSG_UPDATE carries: JSON <-> struct */
#include "instance/update.h"

static const struct jfield fields[] = {
	JO(struct instance_update, resources, "resources", &resources_table),
	JO(struct instance_update, restart, "restart", &restart_policy_table),
	JO(struct instance_update, snapshots, "snapshots", &snapshot_policy_table),
	{ 0 },
};
const struct jtable instance_update_table = { sizeof(struct instance_update), fields };

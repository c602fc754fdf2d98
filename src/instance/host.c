/* host.c - table of the host facts: JSON <-> struct */
#include "instance/host.h"

#include <assert.h>

#include "base/auto.h"

const char *const cgroup_mode_names[] = { "none", "v1", "hybrid", "v2", NULL };
static_assert(ARRAY_LEN(cgroup_mode_names) == CGROUP_MODE_N + 1, "name every cgroup mode");

static const struct jfield host_fields[] = {
	JE(struct host_facts, cgroup_mode, "cgroupMode", cgroup_mode_names),
	J(J_MAP, struct host_facts, cgroups),
	JK(J_MAP, struct host_facts, own_cgroups, "ownCgroups"),
	J(J_STR, struct host_facts, cgroup2),
	J(J_INT, struct host_facts, cpus),
	JK(J_STR, struct host_facts, cpu_list, "cpuList"),
	JK(J_STR, struct host_facts, node_list, "nodeList"),
	JK(J_U64, struct host_facts, ram_bytes, "ram"),
	JK(J_STR, struct host_facts, kernel_release, "kernelRelease"),
	J(J_STR, struct host_facts, arch),
	J(J_BOOL, struct host_facts, kvm),
	JK(J_STR, struct host_facts, kvm_reason, "kvmReason"),
	J(J_STR, struct host_facts, qemu),
	J(J_BOOL, struct host_facts, selinux),
	JK(J_BOOL, struct host_facts, project_quota, "projectQuota"),
	J(J_STR, struct host_facts, vmm),
	J(J_STR, struct host_facts, virtiofsd),
	JK(J_BOOL, struct host_facts, in_guest, "inGuest"),
	{ 0 },
};
const struct jtable host_facts_table = { sizeof(struct host_facts), host_fields };

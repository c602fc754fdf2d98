/* sandbox.c - the table of struct sandbox, and what of it needs the host's own kernel */
#include "instance/sandbox.h"

#include <assert.h>
#include <string.h>

#include "base/auto.h"

const char *const ns_mode_names[] = { "private", "host", "container", "shareable", "none", NULL };
static_assert(ARRAY_LEN(ns_mode_names) == NS_MODE_N + 1, "name every mode");

static const struct jfield ns_fields[] = {
	JE(struct ns_spec, mode, "mode", ns_mode_names),
	J(J_STR, struct ns_spec, of),
	{ 0 },
};
static const struct jtable ns_table = { sizeof(struct ns_spec), ns_fields };

static const struct jfield id_map_fields[] = {
	JK(J_U32, struct oci_id_mapping, container_id, "containerID"),
	JK(J_U32, struct oci_id_mapping, host_id, "hostID"),
	J(J_U32, struct oci_id_mapping, size),
	{ 0 },
};
static const struct jtable id_map_table = { sizeof(struct oci_id_mapping), id_map_fields };

static const struct jfield device_fields[] = {
	J(J_STR, struct device_spec, source), J(J_STR, struct device_spec, target),
	J(J_STR, struct device_spec, access), J(J_STR, struct device_spec, type),
	J(J_I64, struct device_spec, major),  J(J_I64, struct device_spec, minor),
	J(J_U32, struct device_spec, mode),   J(J_U32, struct device_spec, uid),
	J(J_U32, struct device_spec, gid),    { 0 },
};
static const struct jtable device_table = { sizeof(struct device_spec), device_fields };

static const struct jfield sandbox_fields[] = {
	JO(struct sandbox, ipc, "ipc", &ns_table),
	JO(struct sandbox, pid, "pid", &ns_table),
	JO(struct sandbox, uts, "uts", &ns_table),
	JO(struct sandbox, cgroup, "cgroup", &ns_table),
	JA(struct sandbox, uid_maps.v, uid_maps.n, "uidMaps", &id_map_table),
	JA(struct sandbox, gid_maps.v, gid_maps.n, "gidMaps", &id_map_table),
	JK(J_BOOL, struct sandbox, auto_ids, "autoIds"),
	JK(J_STR, struct sandbox, cgroup_parent, "cgroupParent"),
	J(J_STRV, struct sandbox, sysctls),
	JK(J_U64, struct sandbox, shm_bytes, "shm"),
	J(J_STRV, struct sandbox, hosts),
	JK(J_BOOL, struct sandbox, no_hosts, "noHosts"),
	J(J_STR, struct sandbox, domainname),
	J(J_STR, struct sandbox, timezone),
	J(J_STR, struct sandbox, localtime),
	JA(struct sandbox, devices, n_devices, "devices", &device_table),
	JK(J_STRV, struct sandbox, device_rules, "deviceRules"),
	JK(J_BOOL, struct sandbox, unmask_all, "unmaskAll"),
	J(J_STRV, struct sandbox, masks),
	J(J_STRV, struct sandbox, unmasks),
	JK(J_STR, struct sandbox, proc_options, "procOptions"),
	J(J_STR, struct sandbox, apparmor),
	J(J_BOOL, struct sandbox, system),
	{ 0 },
};
const struct jtable sandbox_table = { sizeof(struct sandbox), sandbox_fields };

bool ns_is_shared(const struct ns_spec *ns)
{
	return ns->mode == NS_HOST || ns->mode == NS_CONTAINER;
}

const char *sandbox_needs_host(const struct sandbox *b)
{
	const struct {
		bool asked;
		const char *flag;
	} rows[] = {
		{ ns_is_shared(&b->ipc), "--ipc" },
		{ ns_is_shared(&b->pid), "--pid" },
		{ ns_is_shared(&b->uts), "--uts" },
		{ ns_is_shared(&b->cgroup), "--cgroupns" },
		{ b->uid_maps.n > 0, "--uidmap" },
		{ b->gid_maps.n > 0, "--gidmap" },
		{ b->n_devices > 0, "--device" },
		{ b->apparmor && strcmp(b->apparmor, "unconfined"), "--security-opt apparmor" },
	};

	for (size_t i = 0; i < ARRAY_LEN(rows); i++)
		if (rows[i].asked)
			return rows[i].flag;
	return NULL;
}

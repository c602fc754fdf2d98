/* runtime_tables.c - the members of config.json (config.md, config-linux.md), by their names */
#include "oci/runtime_int.h"

const char *const oci_namespace_types[] = { "pid",  "network", "mount", "ipc", "uts",
					    "user", "cgroup",  "time",	NULL };

/* --- process */

static const struct jfield console_size_fields[] = {
	JR(J_I64, struct oci_process, console_height, "height"),
	JR(J_I64, struct oci_process, console_width, "width"),
	{ 0 },
};
static const struct jtable console_size_table = { sizeof(struct oci_process), console_size_fields };

static const struct jfield user_fields[] = {
	J(J_U32, struct oci_user, uid),	      J(J_U32, struct oci_user, gid),
	J(J_OPT_I64, struct oci_user, umask), JK(J_I64V, struct oci_user, additional_gids, "additionalGids"),
	J(J_STR, struct oci_user, username),  { 0 },
};
static const struct jtable user_table = { sizeof(struct oci_user), user_fields };

static const struct jfield capabilities_fields[] = {
	J(J_STRV, struct oci_capabilities, bounding),	 J(J_STRV, struct oci_capabilities, effective),
	J(J_STRV, struct oci_capabilities, inheritable), J(J_STRV, struct oci_capabilities, permitted),
	J(J_STRV, struct oci_capabilities, ambient),	 { 0 },
};
static const struct jtable capabilities_table = { sizeof(struct oci_capabilities), capabilities_fields };

static const struct jfield rlimit_fields[] = {
	JR(J_STR, struct oci_rlimit, type, "type"),
	JR(J_U64, struct oci_rlimit, soft, "soft"),
	JR(J_U64, struct oci_rlimit, hard, "hard"),
	{ 0 },
};
static const struct jtable rlimit_table = { sizeof(struct oci_rlimit), rlimit_fields };

static const struct jfield scheduler_fields[] = {
	JR(J_STR, struct oci_scheduler, policy, "policy"),
	J(J_I64, struct oci_scheduler, nice),
	J(J_I64, struct oci_scheduler, priority),
	J(J_STRV, struct oci_scheduler, flags),
	J(J_U64, struct oci_scheduler, runtime),
	J(J_U64, struct oci_scheduler, deadline),
	J(J_U64, struct oci_scheduler, period),
	{ 0 },
};
static const struct jtable scheduler_table = { sizeof(struct oci_scheduler), scheduler_fields };

static const struct jfield io_priority_fields[] = {
	JR(J_STR, struct oci_io_priority, class, "class"),
	J(J_I64, struct oci_io_priority, priority),
	{ 0 },
};
static const struct jtable io_priority_table = { sizeof(struct oci_io_priority), io_priority_fields };

static const struct jfield affinity_fields[] = {
	JK(J_STR, struct oci_process, affinity_initial, "initial"),
	JK(J_STR, struct oci_process, affinity_final, "final"),
	{ 0 },
};
static const struct jtable affinity_table = { sizeof(struct oci_process), affinity_fields };

static const struct jfield process_fields[] = {
	J(J_BOOL, struct oci_process, terminal),
	JP("consoleSize", &console_size_table),
	JO(struct oci_process, user, "user", &user_table),
	J(J_STRV, struct oci_process, args),
	J(J_STRV, struct oci_process, env),
	JR(J_STR, struct oci_process, cwd, "cwd"),
	JH(struct oci_process, capabilities, has_capabilities, "capabilities", &capabilities_table),
	JA(struct oci_process, rlimits, n_rlimits, "rlimits", &rlimit_table),
	JK(J_BOOL, struct oci_process, no_new_privileges, "noNewPrivileges"),
	JK(J_STR, struct oci_process, apparmor_profile, "apparmorProfile"),
	JK(J_STR, struct oci_process, selinux_label, "selinuxLabel"),
	JK(J_OPT_I64, struct oci_process, oom_score_adj, "oomScoreAdj"),
	JO(struct oci_process, scheduler, "scheduler", &scheduler_table),
	JO(struct oci_process, io_priority, "ioPriority", &io_priority_table),
	JP("execCPUAffinity", &affinity_table),
	{ 0 },
};
const struct jtable oci_process_table = { sizeof(struct oci_process), process_fields };

/* --- mounts, hooks */

static const struct jfield id_mapping_fields[] = {
	JR(J_U32, struct oci_id_mapping, container_id, "containerID"),
	JR(J_U32, struct oci_id_mapping, host_id, "hostID"),
	JR(J_U32, struct oci_id_mapping, size, "size"),
	{ 0 },
};
static const struct jtable id_mapping_table = { sizeof(struct oci_id_mapping), id_mapping_fields };

static const struct jfield mount_fields[] = {
	JR(J_STR, struct oci_mount, destination, "destination"),
	J(J_STR, struct oci_mount, type),
	J(J_STR, struct oci_mount, source),
	J(J_STRV, struct oci_mount, options),
	JA(struct oci_mount, uid_mappings, n_uid_mappings, "uidMappings", &id_mapping_table),
	JA(struct oci_mount, gid_mappings, n_gid_mappings, "gidMappings", &id_mapping_table),
	{ 0 },
};
static const struct jtable mount_table = { sizeof(struct oci_mount), mount_fields };

static const struct jfield hook_fields[] = {
	JR(J_STR, struct oci_hook, path, "path"),
	J(J_STRV, struct oci_hook, args),
	J(J_STRV, struct oci_hook, env),
	J(J_OPT_I64, struct oci_hook, timeout),
	{ 0 },
};
static const struct jtable hook_table = { sizeof(struct oci_hook), hook_fields };

static const struct jfield hooks_fields[] = {
	JA(struct oci_hooks, prestart.v, prestart.n, "prestart", &hook_table),
	JA(struct oci_hooks, create_runtime.v, create_runtime.n, "createRuntime", &hook_table),
	JA(struct oci_hooks, create_container.v, create_container.n, "createContainer", &hook_table),
	JA(struct oci_hooks, start_container.v, start_container.n, "startContainer", &hook_table),
	JA(struct oci_hooks, poststart.v, poststart.n, "poststart", &hook_table),
	JA(struct oci_hooks, poststop.v, poststop.n, "poststop", &hook_table),
	{ 0 },
};
static const struct jtable hooks_table = { sizeof(struct oci_hooks), hooks_fields };

/* --- linux.resources */

static const struct jfield device_rule_fields[] = {
	JR(J_BOOL, struct oci_device_rule, allow, "allow"), J(J_STR, struct oci_device_rule, type),
	J(J_OPT_I64, struct oci_device_rule, major),	    J(J_OPT_I64, struct oci_device_rule, minor),
	J(J_STR, struct oci_device_rule, access),	    { 0 },
};
static const struct jtable device_rule_table = { sizeof(struct oci_device_rule), device_rule_fields };

static const struct jfield memory_fields[] = {
	J(J_OPT_I64, struct oci_memory, limit),
	J(J_OPT_I64, struct oci_memory, reservation),
	J(J_OPT_I64, struct oci_memory, swap),
	J(J_OPT_I64, struct oci_memory, kernel),
	JK(J_OPT_I64, struct oci_memory, kernel_tcp, "kernelTCP"),
	J(J_OPT_I64, struct oci_memory, swappiness),
	JK(J_BOOL, struct oci_memory, disable_oom_killer, "disableOOMKiller"),
	JK(J_BOOL, struct oci_memory, use_hierarchy, "useHierarchy"),
	JK(J_BOOL, struct oci_memory, check_before_update, "checkBeforeUpdate"),
	{ 0 },
};
static const struct jtable memory_table = { sizeof(struct oci_memory), memory_fields };

static const struct jfield cpu_fields[] = {
	J(J_OPT_I64, struct oci_cpu, shares),
	J(J_OPT_I64, struct oci_cpu, quota),
	J(J_OPT_I64, struct oci_cpu, burst),
	J(J_OPT_I64, struct oci_cpu, period),
	JK(J_OPT_I64, struct oci_cpu, realtime_runtime, "realtimeRuntime"),
	JK(J_OPT_I64, struct oci_cpu, realtime_period, "realtimePeriod"),
	J(J_OPT_I64, struct oci_cpu, idle),
	J(J_STR, struct oci_cpu, cpus),
	J(J_STR, struct oci_cpu, mems),
	{ 0 },
};
static const struct jtable cpu_table = { sizeof(struct oci_cpu), cpu_fields };

static const struct jfield pids_fields[] = {
	JK(J_OPT_I64, struct oci_resources, pids_limit, "limit"),
	{ 0 },
};
static const struct jtable pids_table = { sizeof(struct oci_resources), pids_fields };

static const struct jfield weight_device_fields[] = {
	JR(J_I64, struct oci_weight_device, major, "major"),
	JR(J_I64, struct oci_weight_device, minor, "minor"),
	J(J_OPT_I64, struct oci_weight_device, weight),
	JK(J_OPT_I64, struct oci_weight_device, leaf_weight, "leafWeight"),
	{ 0 },
};
static const struct jtable weight_device_table = { sizeof(struct oci_weight_device), weight_device_fields };

static const struct jfield throttle_device_fields[] = {
	JR(J_I64, struct oci_throttle_device, major, "major"),
	JR(J_I64, struct oci_throttle_device, minor, "minor"),
	JR(J_U64, struct oci_throttle_device, rate, "rate"),
	{ 0 },
};
static const struct jtable throttle_device_table = { sizeof(struct oci_throttle_device),
						     throttle_device_fields };

static const struct jfield block_io_fields[] = {
	J(J_OPT_I64, struct oci_block_io, weight),
	JK(J_OPT_I64, struct oci_block_io, leaf_weight, "leafWeight"),
	JA(struct oci_block_io, weight_devices, n_weight_devices, "weightDevice", &weight_device_table),
	JA(struct oci_block_io, read_bps.v, read_bps.n, "throttleReadBpsDevice", &throttle_device_table),
	JA(struct oci_block_io, write_bps.v, write_bps.n, "throttleWriteBpsDevice", &throttle_device_table),
	JA(struct oci_block_io, read_iops.v, read_iops.n, "throttleReadIOPSDevice", &throttle_device_table),
	JA(struct oci_block_io, write_iops.v, write_iops.n, "throttleWriteIOPSDevice",
	   &throttle_device_table),
	{ 0 },
};
static const struct jtable block_io_table = { sizeof(struct oci_block_io), block_io_fields };

static const struct jfield hugepage_limit_fields[] = {
	JR(J_STR, struct oci_hugepage_limit, page_size, "pageSize"),
	JR(J_U64, struct oci_hugepage_limit, limit, "limit"),
	{ 0 },
};
static const struct jtable hugepage_limit_table = { sizeof(struct oci_hugepage_limit),
						    hugepage_limit_fields };

static const struct jfield interface_priority_fields[] = {
	JR(J_STR, struct oci_interface_priority, name, "name"),
	JR(J_U32, struct oci_interface_priority, priority, "priority"),
	{ 0 },
};
static const struct jtable interface_priority_table = { sizeof(struct oci_interface_priority),
							interface_priority_fields };

static const struct jfield network_fields[] = {
	JK(J_OPT_I64, struct oci_resources, network_class_id, "classID"),
	JA(struct oci_resources, network_priorities, n_network_priorities, "priorities",
	   &interface_priority_table),
	{ 0 },
};
static const struct jtable network_table = { sizeof(struct oci_resources), network_fields };

static const struct jfield rdma_fields[] = {
	JK(J_OPT_I64, struct oci_rdma, hca_handles, "hcaHandles"),
	JK(J_OPT_I64, struct oci_rdma, hca_objects, "hcaObjects"),
	{ 0 },
};
static const struct jtable rdma_table = { sizeof(struct oci_rdma), rdma_fields };

static const struct jfield resources_fields[] = {
	JA(struct oci_resources, devices, n_devices, "devices", &device_rule_table),
	JO(struct oci_resources, memory, "memory", &memory_table),
	JO(struct oci_resources, cpu, "cpu", &cpu_table),
	JP("pids", &pids_table),
	JO(struct oci_resources, block_io, "blockIO", &block_io_table),
	JA(struct oci_resources, hugepage_limits, n_hugepage_limits, "hugepageLimits", &hugepage_limit_table),
	JP("network", &network_table),
	JM(struct oci_resources, rdma, n_rdma, "rdma", &rdma_table),
	J(J_MAP, struct oci_resources, unified),
	{ 0 },
};
const struct jtable oci_resources_table = { sizeof(struct oci_resources), resources_fields };

/* --- linux */

static const struct jfield namespace_fields[] = {
	{ .type = J_ENUM,
	  .key = "type",
	  .off = offsetof(struct oci_namespace, type),
	  .names = oci_namespace_types,
	  .must = true },
	J(J_STR, struct oci_namespace, path),
	{ 0 },
};
static const struct jtable namespace_table = { sizeof(struct oci_namespace), namespace_fields };

static const struct jfield device_fields[] = {
	JR(J_STR, struct oci_device, type, "type"),
	JR(J_STR, struct oci_device, path, "path"),
	J(J_OPT_I64, struct oci_device, major),
	J(J_OPT_I64, struct oci_device, minor),
	JK(J_OPT_I64, struct oci_device, file_mode, "fileMode"),
	J(J_OPT_I64, struct oci_device, uid),
	J(J_OPT_I64, struct oci_device, gid),
	{ 0 },
};
static const struct jtable device_table = { sizeof(struct oci_device), device_fields };

static const struct jfield personality_fields[] = {
	JR(J_STR, struct oci_linux, personality_domain, "domain"),
	JK(J_STRV, struct oci_linux, personality_flags, "flags"),
	{ 0 },
};
static const struct jtable personality_table = { sizeof(struct oci_linux), personality_fields };

static const struct jfield time_offset_fields[] = {
	J(J_I64, struct oci_time_offset, secs),
	J(J_I64, struct oci_time_offset, nanosecs),
	{ 0 },
};
static const struct jtable time_offset_table = { sizeof(struct oci_time_offset), time_offset_fields };

static const struct jfield time_offsets_fields[] = {
	JO(struct oci_linux, monotonic, "monotonic", &time_offset_table),
	JO(struct oci_linux, boottime, "boottime", &time_offset_table),
	{ 0 },
};
static const struct jtable time_offsets_table = { sizeof(struct oci_linux), time_offsets_fields,
						  .closed = true };

static const struct jfield linux_fields[] = {
	JA(struct oci_linux, uid_mappings, n_uid_mappings, "uidMappings", &id_mapping_table),
	JA(struct oci_linux, gid_mappings, n_gid_mappings, "gidMappings", &id_mapping_table),
	J(J_MAP, struct oci_linux, sysctl),
	JO(struct oci_linux, resources, "resources", &oci_resources_table),
	JK(J_STR, struct oci_linux, cgroups_path, "cgroupsPath"),
	JA(struct oci_linux, namespaces, n_namespaces, "namespaces", &namespace_table),
	JA(struct oci_linux, devices, n_devices, "devices", &device_table),
	J(J_RAW, struct oci_linux, seccomp),
	JK(J_STR, struct oci_linux, rootfs_propagation, "rootfsPropagation"),
	JK(J_STRV, struct oci_linux, masked_paths, "maskedPaths"),
	JK(J_STRV, struct oci_linux, readonly_paths, "readonlyPaths"),
	JK(J_STR, struct oci_linux, mount_label, "mountLabel"),
	JK(J_RAW, struct oci_linux, intel_rdt, "intelRdt"),
	JP("personality", &personality_table),
	JP("timeOffsets", &time_offsets_table),
	{ 0 },
};
static const struct jtable linux_table = { sizeof(struct oci_linux), linux_fields };

/* --- the whole */

static const struct jfield root_fields[] = {
	JR(J_STR, struct oci_spec, root_path, "path"),
	JK(J_BOOL, struct oci_spec, root_readonly, "readonly"),
	{ 0 },
};
static const struct jtable root_table = { sizeof(struct oci_spec), root_fields };

static const struct jfield spec_fields[] = {
	JR(J_STR, struct oci_spec, oci_version, "ociVersion"),
	JH(struct oci_spec, process, has_process, "process", &oci_process_table),
	JV(struct oci_spec, has_root, "root", &root_table),
	J(J_STR, struct oci_spec, hostname),
	J(J_STR, struct oci_spec, domainname),
	JA(struct oci_spec, mounts, n_mounts, "mounts", &mount_table),
	JO(struct oci_spec, hooks, "hooks", &hooks_table),
	J(J_MAP, struct oci_spec, annotations),
	JO(struct oci_spec, lnx, "linux", &linux_table),
	{ 0 },
};
const struct jtable oci_spec_table = { sizeof(struct oci_spec), spec_fields };

static const struct jfield process_of_spec_fields[] = {
	JO(struct process_of_spec, process, "process", &oci_process_table),
	{ 0 },
};
const struct jtable oci_process_of_spec_table = { sizeof(struct process_of_spec), process_of_spec_fields };

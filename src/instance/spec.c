/* spec.c - tables of the instance vocabulary: JSON <-> structs */
#include "instance/spec.h"

#include <assert.h>

#include "base/auto.h"

const char *const isolation_names[] = { "container", "vm", NULL };
static_assert(ARRAY_LEN(isolation_names) == ISOLATION_N + 1, "name every isolation");
const char *const mount_type_names[] = { "bind", "volume", "tmpfs", NULL };
static_assert(ARRAY_LEN(mount_type_names) == MOUNT_TYPE_N + 1, "name every mount type");
const char *const status_names[] = {
	"created", "starting", "running", "exited", "paused", "restarting", NULL
};
static_assert(ARRAY_LEN(status_names) == STATUS_N + 1, "name every status");

const char *const restart_names[] = { "no", "on-failure", "always", "unless-stopped", NULL };
static_assert(ARRAY_LEN(restart_names) == RESTART_N + 1, "name every restart policy");

bool instance_is_live(const struct instance_state *s)
{
	return s->status != STATUS_CREATED && s->status != STATUS_EXITED;
}

static const struct jfield rlimit_fields[] = {
	J(J_STR, struct rlimit_spec, type),
	J(J_U64, struct rlimit_spec, soft),
	J(J_U64, struct rlimit_spec, hard),
	{ 0 },
};
static const struct jtable rlimit_table = { sizeof(struct rlimit_spec), rlimit_fields };

static const struct jfield process_fields[] = {
	J(J_STRV, struct process, args),
	J(J_STRV, struct process, env),
	J(J_STR, struct process, cwd),
	J(J_STR, struct process, user),
	J(J_STRV, struct process, groups),
	J(J_STRV, struct process, caps),
	JA(struct process, rlimits, n_rlimits, "rlimits", &rlimit_table),
	JK(J_BOOL, struct process, no_new_privs, "noNewPrivileges"),
	JK(J_BOOL, struct process, tty, "terminal"),
	JK(J_BOOL, struct process, stdin_open, "stdin"),
	J(J_BOOL, struct process, seccomp),
	J(J_OPT_I64, struct process, umask),
	J(J_BOOL, struct process, hold),
	J(J_INT, struct process, rows),
	J(J_INT, struct process, cols),
	{ 0 },
};
const struct jtable process_table = { sizeof(struct process), process_fields };

static const struct jfield mount_fields[] = {
	JE(struct mount_spec, type, "type", mount_type_names),
	J(J_STR, struct mount_spec, source),
	J(J_STR, struct mount_spec, target),
	J(J_STR, struct mount_spec, options),
	JK(J_BOOL, struct mount_spec, read_only, "readOnly"),
	JK(J_BOOL, struct mount_spec, is_file, "isFile"),
	JK(J_BOOL, struct mount_spec, copy_up, "copyUp"),
	J(J_BOOL, struct mount_spec, anonymous),
	J(J_BOOL, struct mount_spec, shallow),
	JK(J_BOOL, struct mount_spec, read_only_top, "readOnlyTop"),
	J(J_STR, struct mount_spec, propagation),
	J(J_STR, struct mount_spec, subpath),
	JK(J_MAP, struct mount_spec, volume_labels, "volumeLabels"),
	JK(J_MAP, struct mount_spec, volume_options, "volumeOptions"),
	{ 0 },
};
static const struct jtable mount_table = { sizeof(struct mount_spec), mount_fields };

static const struct jfield device_limit_fields[] = {
	J(J_STR, struct device_limit, path),
	J(J_I64, struct device_limit, major),
	J(J_I64, struct device_limit, minor),
	J(J_U64, struct device_limit, value),
	{ 0 },
};
static const struct jtable device_limit_table = { sizeof(struct device_limit), device_limit_fields };

static const struct jfield resources_fields[] = {
	JK(J_U64, struct resources, memory_bytes, "memory"),
	JK(J_I64, struct resources, memory_swap_bytes, "memorySwap"),
	JK(J_U64, struct resources, memory_reservation_bytes, "memoryReservation"),
	JK(J_OPT_I64, struct resources, memory_swappiness, "memorySwappiness"),
	JK(J_BOOL, struct resources, oom_kill_disable, "oomKillDisable"),
	JK(J_INT, struct resources, oom_score_adj, "oomScoreAdj"),
	JK(J_U64, struct resources, cpu_milli, "milliCpus"),
	JK(J_U64, struct resources, cpu_period_us, "cpuPeriod"),
	JK(J_U64, struct resources, cpu_quota_us, "cpuQuota"),
	JK(J_U64, struct resources, cpu_shares, "cpuShares"),
	JK(J_STR, struct resources, cpuset_cpus, "cpusetCpus"),
	JK(J_STR, struct resources, cpuset_mems, "cpusetMems"),
	JK(J_U64, struct resources, blkio_weight, "blkioWeight"),
	JA(struct resources, blkio_weights.v, blkio_weights.n, "blkioWeightDevice", &device_limit_table),
	JA(struct resources, read_bps.v, read_bps.n, "deviceReadBps", &device_limit_table),
	JA(struct resources, write_bps.v, write_bps.n, "deviceWriteBps", &device_limit_table),
	JA(struct resources, read_iops.v, read_iops.n, "deviceReadIops", &device_limit_table),
	JA(struct resources, write_iops.v, write_iops.n, "deviceWriteIops", &device_limit_table),
	J(J_U64, struct resources, pids),
	{ 0 },
};
const struct jtable resources_table = { sizeof(struct resources), resources_fields };

const char *const vm_driver_names[] = { [VM_DRIVER_QEMU] = "qemu", [VM_DRIVER_KVM] = "kvm", NULL };

static const struct jfield vm_fields[] = {
	JE(struct vm_spec, driver, "driver", vm_driver_names),
	J(J_STR, struct vm_spec, kernel),
	JK(J_U64, struct vm_spec, ram_bytes, "ram"),
	J(J_INT, struct vm_spec, vcpus),
	JK(J_BOOL, struct vm_spec, accel_kvm, "kvm"),
	JK(J_INT, struct vm_spec, layer_disks, "layerDisks"),
	{ 0 },
};
static const struct jtable vm_table = { sizeof(struct vm_spec), vm_fields };

static const struct jfield restart_fields[] = {
	JE(struct restart_policy, kind, "name", restart_names),
	JK(J_U32, struct restart_policy, max_retries, "maxRetries"),
	{ 0 },
};
const struct jtable restart_policy_table = { sizeof(struct restart_policy), restart_fields };

static const struct jfield snapshot_policy_fields[] = {
	JK(J_I64, struct snapshot_policy, every_ns, "every"),
	J(J_U32, struct snapshot_policy, keep),
	{ 0 },
};
const struct jtable snapshot_policy_table = { sizeof(struct snapshot_policy), snapshot_policy_fields };

static const struct jfield instance_spec_fields[] = {
	J(J_STR, struct instance_spec, id),
	J(J_STR, struct instance_spec, name),
	JE(struct instance_spec, isolation, "isolation", isolation_names),
	JK(J_STR, struct instance_spec, isolation_rule, "isolationRule"),
	J(J_STR, struct instance_spec, image),
	JK(J_STR, struct instance_spec, image_id, "imageId"),
	J(J_STRV, struct instance_spec, layers),
	JO(struct instance_spec, process, "process", &process_table),
	JK(J_U32, struct instance_spec, n_entrypoint, "entrypointWords"),
	JK(J_STRV, struct instance_spec, cap_add, "capAdd"),
	JK(J_STRV, struct instance_spec, cap_drop, "capDrop"),
	J(J_STR, struct instance_spec, hostname),
	JA(struct instance_spec, mounts, n_mounts, "mounts", &mount_table),
	JO(struct instance_spec, resources, "resources", &resources_table),
	JO(struct instance_spec, sandbox, "sandbox", &sandbox_table),
	JE(struct instance_spec, network, "network", network_names),
	JO(struct instance_spec, net, "net", &net_spec_table),
	JK(J_BOOL, struct instance_spec, read_only, "readOnly"),
	J(J_BOOL, struct instance_spec, init),
	J(J_BOOL, struct instance_spec, privileged),
	J(J_BOOL, struct instance_spec, userns),
	JK(J_BOOL, struct instance_spec, auto_remove, "autoRemove"),
	JK(J_BOOL, struct instance_spec, open_stdin, "openStdin"),
	JK(J_U64, struct instance_spec, storage_bytes, "storage"),
	J(J_MAP, struct instance_spec, labels),
	J(J_MAP, struct instance_spec, annotations),
	JK(J_INT, struct instance_spec, stop_signal, "stopSignal"),
	JK(J_INT, struct instance_spec, stop_timeout_s, "stopTimeout"),
	JK(J_INT, struct instance_spec, timeout_s, "timeout"),
	JO(struct instance_spec, log, "log", &log_spec_table),
	JO(struct instance_spec, health, "health", &image_healthcheck_table),
	JO(struct instance_spec, restart, "restart", &restart_policy_table),
	JO(struct instance_spec, snapshots, "snapshots", &snapshot_policy_table),
	JK(J_STR, struct instance_spec, pid_file, "pidFile"),
	J(J_STR, struct instance_spec, seccomp),
	JO(struct instance_spec, vm, "vm", &vm_table),
	JK(J_I64, struct instance_spec, created_ns, "created"),
	{ 0 },
};
const struct jtable instance_spec_table = { sizeof(struct instance_spec), instance_spec_fields };

static const struct jfield instance_state_fields[] = {
	JE(struct instance_state, status, "status", status_names),
	J(J_INT, struct instance_state, pid),
	JK(J_INT, struct instance_state, monitor_pid, "monitorPid"),
	JK(J_I64, struct instance_state, started_ns, "started"),
	JK(J_I64, struct instance_state, finished_ns, "finished"),
	JK(J_INT, struct instance_state, exit_code, "exitCode"),
	JK(J_BOOL, struct instance_state, oom_killed, "oomKilled"),
	JK(J_BOOL, struct instance_state, stopped_by_user, "stoppedByUser"),
	J(J_INT, struct instance_state, restarts),
	JK(J_INT, struct instance_state, backoff_ms, "backoffMs"),
	JK(J_BOOL, struct instance_state, files_only, "filesOnly"),
	JO(struct instance_state, health, "health", &health_state_table),
	J(J_STR, struct instance_state, error),
	J(J_STRV, struct instance_state, cgroups),
	J(J_STRV, struct instance_state, warnings),
	{ 0 },
};
const struct jtable instance_state_table = { sizeof(struct instance_state), instance_state_fields };

/* inspect_view.c - all about an instance as JSON, in Docker's keys where Docker has them
 *
 * What an instance says of itself is one row of a table, with the member's offset in `in`; what has to be worked out
 * first is a member of struct view besides (inspect_fill.c).
 */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "cli/inspect_int.h"

static const struct jfield check_fields[] = {
	JK(J_STR, struct view_check, start, "Start"),
	JK(J_STR, struct view_check, end, "End"),
	JK(J_INT, struct view_check, exit_code, "ExitCode"),
	JK(J_STR, struct view_check, output, "Output"),
	{ 0 },
};
static const struct jtable check_table = { sizeof(struct view_check), check_fields };

static const struct jfield health_fields[] = {
	JE(struct view, in.state.health.status, "Status", health_names),
	JK(J_INT, struct view, in.state.health.failing_streak, "FailingStreak"),
	JA(struct view, first_check, n_checks, "Log", &check_table),
	{ 0 },
};
static const struct jtable health_table = { sizeof(struct view), health_fields };

static const struct jfield state_fields[] = {
	JE(struct view, in.state.status, "Status", status_names),
	JK(J_BOOL, struct view, running, "Running"),
	JK(J_BOOL, struct view, paused, "Paused"),
	JK(J_BOOL, struct view, restarting, "Restarting"),
	JK(J_BOOL, struct view, in.state.oom_killed, "OOMKilled"),
	JK(J_BOOL, struct view, never, "Dead"),
	JK(J_INT, struct view, in.state.pid, "Pid"),
	JK(J_INT, struct view, in.state.exit_code, "ExitCode"),
	JK(J_STR, struct view, in.state.error, "Error"),
	JK(J_STR, struct view, started, "StartedAt"),
	JK(J_STR, struct view, finished, "FinishedAt"),
	JV(struct view, is_checked, "Health", &health_table),
	{ 0 },
};
static const struct jtable state_table = { sizeof(struct view), state_fields };

static const struct jfield config_fields[] = {
	JK(J_STR, struct view, in.spec.hostname, "Hostname"),
	JK(J_STR, struct view, in.spec.sandbox.domainname, "Domainname"),
	JK(J_STR, struct view, in.spec.process.user, "User"),
	JK(J_BOOL, struct view, in.spec.process.tty, "Tty"),
	JK(J_BOOL, struct view, in.spec.open_stdin, "OpenStdin"),
	JK(J_BOOL, struct view, never, "StdinOnce"),
	JK(J_RAW, struct view, exposed, "ExposedPorts"),
	JK(J_RAW, struct view, anonymous, "Volumes"),
	JK(J_STRV, struct view, in.spec.process.env, "Env"),
	JK(J_STRV, struct view, cmd, "Cmd"),
	JK(J_STRV, struct view, entrypoint, "Entrypoint"),
	JK(J_STR, struct view, in.spec.image, "Image"),
	JK(J_STR, struct view, in.spec.process.cwd, "WorkingDir"),
	JK(J_MAP, struct view, in.spec.labels, "Labels"),
	JK(J_STR, struct view, stop_signal, "StopSignal"),
	JH(struct view, in.spec.health, is_checked, "Healthcheck", &image_healthcheck_table),
	JK(J_INT, struct view, in.spec.stop_timeout_s, "StopTimeout"),
	{ 0 },
};
static const struct jtable config_table = { sizeof(struct view), config_fields };

static const struct jfield ulimit_fields[] = {
	JK(J_STR, struct rlimit_spec, type, "Name"),
	JK(J_U64, struct rlimit_spec, hard, "Hard"),
	JK(J_U64, struct rlimit_spec, soft, "Soft"),
	{ 0 },
};
static const struct jtable ulimit_table = { sizeof(struct rlimit_spec), ulimit_fields };

static const struct jfield device_rate_fields[] = {
	JK(J_STR, struct device_limit, path, "Path"),
	JK(J_U64, struct device_limit, value, "Rate"),
	{ 0 },
};
static const struct jtable device_rate_table = { sizeof(struct device_limit), device_rate_fields };

static const struct jfield device_weight_fields[] = {
	JK(J_STR, struct device_limit, path, "Path"),
	JK(J_U64, struct device_limit, value, "Weight"),
	{ 0 },
};
static const struct jtable device_weight_table = { sizeof(struct device_limit), device_weight_fields };

#define DEVICE_LIMITS(member, key, table)                                                                    \
	JA(struct view, in.spec.resources.member.v, in.spec.resources.member.n, key, table)

static const struct jfield device_fields[] = {
	JK(J_STR, struct device_spec, source, "PathOnHost"),
	JK(J_STR, struct device_spec, target, "PathInContainer"),
	JK(J_STR, struct device_spec, access, "CgroupPermissions"),
	{ 0 },
};
static const struct jtable device_table = { sizeof(struct device_spec), device_fields };

static const struct jfield restart_fields[] = {
	JE(struct view, in.spec.restart.kind, "Name", restart_names),
	JK(J_U32, struct view, in.spec.restart.max_retries, "MaximumRetryCount"),
	{ 0 },
};
static const struct jtable restart_table = { sizeof(struct view), restart_fields };

static const struct jfield log_fields[] = {
	JE(struct view, in.spec.log.driver, "Type", log_driver_names),
	JK(J_MAP, struct view, log_options, "Config"),
	{ 0 },
};
static const struct jtable log_table = { sizeof(struct view), log_fields };

static const struct jfield host_fields[] = {
	JK(J_STRV, struct view, binds, "Binds"),
	JK(J_MAP, struct view, tmpfs, "Tmpfs"),
	JK(J_MAP, struct view, storage, "StorageOpt"),
	JK(J_STR, struct view, namespaces[0], "IpcMode"),
	JK(J_STR, struct view, namespaces[1], "PidMode"),
	JK(J_STR, struct view, namespaces[2], "UTSMode"),
	JK(J_STR, struct view, namespaces[3], "CgroupnsMode"),
	JK(J_STR, struct view, in.spec.sandbox.cgroup_parent, "CgroupParent"),
	JK(J_STRV, struct view, security, "SecurityOpt"),
	JK(J_STRV, struct view, in.spec.sandbox.hosts, "ExtraHosts"),
	JK(J_STRV, struct view, in.spec.net.dns, "Dns"),
	JK(J_STRV, struct view, in.spec.net.dns_options, "DnsOptions"),
	JK(J_STRV, struct view, in.spec.net.dns_search, "DnsSearch"),
	JK(J_BOOL, struct view, in.spec.net.publish_all, "PublishAllPorts"),
	JK(J_STRV, struct view, in.spec.process.groups, "GroupAdd"),
	JK(J_U64, struct view, shm_bytes, "ShmSize"),
	JK(J_MAP, struct view, in.spec.sandbox.sysctls, "Sysctls"),
	JA(struct view, in.spec.sandbox.devices, in.spec.sandbox.n_devices, "Devices", &device_table),
	JK(J_STRV, struct view, in.spec.sandbox.device_rules, "DeviceCgroupRules"),
	JK(J_MAP, struct view, in.spec.annotations, "Annotations"),
	JK(J_STR, struct view, in.spec.sandbox.timezone, "Timezone"),
	JK(J_STR, struct view, network_mode, "NetworkMode"),
	JK(J_RAW, struct view, port_bindings, "PortBindings"),
	JP("LogConfig", &log_table),
	JP("RestartPolicy", &restart_table),
	JK(J_BOOL, struct view, in.spec.auto_remove, "AutoRemove"),
	JK(J_STRV, struct view, in.spec.process.caps, "Capabilities"),
	JK(J_STRV, struct view, in.spec.cap_add, "CapAdd"),
	JK(J_STRV, struct view, in.spec.cap_drop, "CapDrop"),
	JK(J_BOOL, struct view, in.spec.privileged, "Privileged"),
	JK(J_BOOL, struct view, in.spec.read_only, "ReadonlyRootfs"),
	JK(J_BOOL, struct view, in.spec.init, "Init"),
	JK(J_STR, struct view, seccomp, "Seccomp"),
	JK(J_STR, struct view, userns, "UsernsMode"),
	JE(struct view, in.spec.isolation, "Isolation", isolation_names),
	JK(J_U64, struct view, in.spec.resources.memory_bytes, "Memory"),
	JK(J_U64, struct view, in.spec.resources.memory_reservation_bytes, "MemoryReservation"),
	JK(J_I64, struct view, memory_swap, "MemorySwap"),
	JK(J_OPT_I64, struct view, in.spec.resources.memory_swappiness, "MemorySwappiness"),
	JK(J_BOOL, struct view, in.spec.resources.oom_kill_disable, "OomKillDisable"),
	JK(J_INT, struct view, in.spec.resources.oom_score_adj, "OomScoreAdj"),
	JK(J_U64, struct view, nano_cpus, "NanoCpus"),
	JK(J_U64, struct view, in.spec.resources.cpu_shares, "CpuShares"),
	JK(J_U64, struct view, in.spec.resources.cpu_period_us, "CpuPeriod"),
	JK(J_U64, struct view, in.spec.resources.cpu_quota_us, "CpuQuota"),
	JK(J_STR, struct view, in.spec.resources.cpuset_cpus, "CpusetCpus"),
	JK(J_STR, struct view, in.spec.resources.cpuset_mems, "CpusetMems"),
	JK(J_U64, struct view, in.spec.resources.blkio_weight, "BlkioWeight"),
	DEVICE_LIMITS(blkio_weights, "BlkioWeightDevice", &device_weight_table),
	DEVICE_LIMITS(read_bps, "BlkioDeviceReadBps", &device_rate_table),
	DEVICE_LIMITS(write_bps, "BlkioDeviceWriteBps", &device_rate_table),
	DEVICE_LIMITS(read_iops, "BlkioDeviceReadIOps", &device_rate_table),
	DEVICE_LIMITS(write_iops, "BlkioDeviceWriteIOps", &device_rate_table),
	JK(J_U64, struct view, in.spec.resources.pids, "PidsLimit"),
	JA(struct view, in.spec.process.rlimits, in.spec.process.n_rlimits, "Ulimits", &ulimit_table),
	{ 0 },
};
static const struct jtable host_table = { sizeof(struct view), host_fields };

static const struct jfield mount_fields[] = {
	JK(J_STR, struct view_mount, type, "Type"),
	JK(J_STR, struct view_mount, name, "Name"),
	JK(J_STR, struct view_mount, source, "Source"),
	JK(J_STR, struct view_mount, destination, "Destination"),
	JK(J_STR, struct view_mount, driver, "Driver"),
	JK(J_STR, struct view_mount, mode, "Mode"),
	JK(J_BOOL, struct view_mount, rw, "RW"),
	JK(J_STR, struct view_mount, propagation, "Propagation"),
	{ 0 },
};
static const struct jtable mount_table = { sizeof(struct view_mount), mount_fields };

static const struct jfield driver_fields[] = {
	JK(J_STR, struct view, driver, "Name"),
	JK(J_MAP, struct view, driver_data, "Data"),
	{ 0 },
};
static const struct jtable driver_table = { sizeof(struct view), driver_fields };

static const struct jfield vm_fields[] = {
	JE(struct view, in.spec.vm.driver, "Driver", vm_driver_names),
	JK(J_STR, struct view, in.spec.vm.kernel, "Kernel"),
	JK(J_U64, struct view, in.spec.vm.ram_bytes, "Memory"),
	JK(J_INT, struct view, in.spec.vm.vcpus, "Cpus"),
	JK(J_BOOL, struct view, in.spec.vm.accel_kvm, "Kvm"),
	{ 0 },
};
static const struct jtable vm_table = { sizeof(struct view), vm_fields };

static const struct jfield view_fields[] = {
	JK(J_STR, struct view, in.spec.id, "Id"),
	JK(J_STR, struct view, created, "Created"),
	JK(J_STR, struct view, path, "Path"),
	JK(J_STRV, struct view, args, "Args"),
	JP("State", &state_table),
	JK(J_STR, struct view, in.spec.image_id, "Image"),
	JK(J_STR, struct view, log_path, "LogPath"),
	JK(J_STR, struct view, in.spec.name, "Name"),
	JK(J_INT, struct view, in.state.restarts, "RestartCount"),
	JK(J_STR, struct view, driver, "Driver"),
	JK(J_STR, struct view, platform, "Platform"),
	JE(struct view, in.spec.isolation, "Isolation", isolation_names),
	JK(J_STR, struct view, in.spec.isolation_rule, "IsolationRule"),
	JK(J_I64, struct view, in.spec.snapshots.every_ns, "SnapshotEvery"),
	JK(J_U32, struct view, in.spec.snapshots.keep, "SnapshotKeep"),
	JK(J_STRV, struct view, in.state.warnings, "Warnings"),
	JP("HostConfig", &host_table),
	JP("GraphDriver", &driver_table),
	JA(struct view, mounts, in.spec.n_mounts, "Mounts", &mount_table),
	JP("Config", &config_table),
	JP("NetworkSettings", &view_network_settings_table),
	JP("VM", &vm_table),
	{ 0 },
};
static const struct jtable view_table = { sizeof(struct view), view_fields };

#define N_FIELDS (ARRAY_LEN(view_fields) - 1)

int inspect_add_instance(struct cli *c, const struct instance *in, const struct instance_size *size,
			 int json_flags, struct buf *out, struct err *e)
{
	AUTO(view_done) struct view v = { .in = *in };
	struct jfield fields[N_FIELDS + 3] = { 0 };
	const struct jtable with_size = { sizeof(v), fields };
	int r = view_fill(&v, c);

	memcpy(fields, view_fields, N_FIELDS * sizeof(*fields));
	fields[N_FIELDS] = (struct jfield)JK(J_U64, struct view, size.writes_bytes, "SizeRw");
	fields[N_FIELDS + 1] = (struct jfield)JK(J_U64, struct view, size.all_bytes, "SizeRootFs");
	if (size)
		v.size = *size;
	if (r == 0)
		r = json_print(size ? &with_size : &view_table, &v, json_flags, out);
	return r < 0 || !buf_ok(out) ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* inspect_view.c - all about an instance as JSON, in Docker's keys where Docker has them
 *
 * What an instance says of itself is one row of a table, with the member's offset in `in`; what has to be worked out
 * first is a member of struct view besides.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/inspect.h"
#include "cli/text.h"
#include "engine/volume.h"

#define N_NAMESPACES 4 /* in the order of host_fields */

struct view_mount {
	const char *type, *name, *source, *destination, *driver, *mode;
	bool rw;
	const char *propagation;
};

/* The name is the key. */
struct view_network {
	const char *name, *address, *gateway, *mac;
};

/* Strings are borrowed from `in` or from `owned`. */
struct view {
	struct instance in; /* borrowed */
	const char *created, *started, *finished, *stop_signal;
	const char *path; /* the first argument, ... */
	struct strv args; /* ... and the others, borrowed */
	bool running, paused, restarting;
	const char *platform, *driver, *log_path;
	struct strv driver_data;
	uint64_t nano_cpus, shm_bytes;
	int64_t memory_swap;
	const char *seccomp, *userns, *namespaces[N_NAMESPACES];
	struct strv security, binds, tmpfs, ports;
	struct view_mount *mounts;
	struct strv volume_paths; /* on the host */
	struct view_network network, *networks;
	size_t n_networks;
	struct strv owned;
};

static const struct jfield state_fields[] = {
	JE(struct view, in.state.status, "Status", status_names),
	JK(J_BOOL, struct view, running, "Running"),
	JK(J_BOOL, struct view, paused, "Paused"),
	JK(J_BOOL, struct view, restarting, "Restarting"),
	JK(J_BOOL, struct view, in.state.oom_killed, "OOMKilled"),
	JK(J_INT, struct view, in.state.pid, "Pid"),
	JK(J_INT, struct view, in.state.exit_code, "ExitCode"),
	JK(J_STR, struct view, in.state.error, "Error"),
	JK(J_STR, struct view, started, "StartedAt"),
	JK(J_STR, struct view, finished, "FinishedAt"),
	{ 0 },
};
static const struct jtable state_table = { sizeof(struct view), state_fields };

static const struct jfield config_fields[] = {
	JK(J_STR, struct view, in.spec.hostname, "Hostname"),
	JK(J_STR, struct view, in.spec.sandbox.domainname, "Domainname"),
	JK(J_STR, struct view, in.spec.process.user, "User"),
	JK(J_BOOL, struct view, in.spec.process.tty, "Tty"),
	JK(J_BOOL, struct view, in.spec.open_stdin, "OpenStdin"),
	JK(J_STRV, struct view, in.spec.process.env, "Env"),
	JK(J_STRV, struct view, in.spec.process.args, "Cmd"),
	JK(J_STR, struct view, in.spec.image, "Image"),
	JK(J_STR, struct view, in.spec.process.cwd, "WorkingDir"),
	JK(J_MAP, struct view, in.spec.labels, "Labels"),
	JK(J_STR, struct view, stop_signal, "StopSignal"),
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

static const struct jfield host_fields[] = {
	JK(J_STRV, struct view, binds, "Binds"),
	JK(J_MAP, struct view, tmpfs, "Tmpfs"),
	JK(J_STR, struct view, namespaces[0], "IpcMode"),
	JK(J_STR, struct view, namespaces[1], "PidMode"),
	JK(J_STR, struct view, namespaces[2], "UTSMode"),
	JK(J_STR, struct view, namespaces[3], "CgroupnsMode"),
	JK(J_STR, struct view, in.spec.sandbox.cgroup_parent, "CgroupParent"),
	JK(J_STRV, struct view, security, "SecurityOpt"),
	JK(J_STRV, struct view, in.spec.sandbox.hosts, "ExtraHosts"),
	JK(J_STRV, struct view, in.spec.process.groups, "GroupAdd"),
	JK(J_U64, struct view, shm_bytes, "ShmSize"),
	JK(J_MAP, struct view, in.spec.sandbox.sysctls, "Sysctls"),
	JA(struct view, in.spec.sandbox.devices, in.spec.sandbox.n_devices, "Devices", &device_table),
	JK(J_STRV, struct view, in.spec.sandbox.device_rules, "DeviceCgroupRules"),
	JK(J_MAP, struct view, in.spec.annotations, "Annotations"),
	JK(J_STR, struct view, in.spec.sandbox.timezone, "Timezone"),
	JE(struct view, in.spec.network, "NetworkMode", network_names),
	JP("RestartPolicy", &restart_table),
	JK(J_BOOL, struct view, in.spec.auto_remove, "AutoRemove"),
	JK(J_STRV, struct view, in.spec.process.caps, "Capabilities"),
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

static const struct jfield network_fields[] = {
	JK(J_STR, struct view_network, address, "IPAddress"),
	JK(J_STR, struct view_network, gateway, "Gateway"),
	JK(J_STR, struct view_network, mac, "MacAddress"),
	{ 0 },
};
static const struct jtable network_table = { sizeof(struct view_network), network_fields };

/* No network gives an address of its own: the keys are there for templates that ask. */
static const struct jfield network_settings_fields[] = {
	JK(J_STR, struct view, network.gateway, "Gateway"),
	JK(J_STR, struct view, network.address, "IPAddress"),
	JK(J_STR, struct view, network.mac, "MacAddress"),
	JM(struct view, networks, n_networks, "Networks", &network_table),
	JK(J_KEYS, struct view, ports, "Ports"),
	{ 0 },
};
static const struct jtable network_settings_table = { sizeof(struct view), network_settings_fields };

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
	JK(J_STRV, struct view, in.state.warnings, "Warnings"),
	JP("HostConfig", &host_table),
	JP("GraphDriver", &driver_table),
	JA(struct view, mounts, in.spec.n_mounts, "Mounts", &mount_table),
	JP("Config", &config_table),
	JP("NetworkSettings", &network_settings_table),
	JP("VM", &vm_table),
	{ 0 },
};
static const struct jtable view_table = { sizeof(struct view), view_fields };

static void view_done(struct view *v)
{
	strv_done(&v->owned);
	strv_done(&v->driver_data);
	strv_done(&v->security);
	strv_done(&v->binds);
	strv_done(&v->tmpfs);
	free(v->mounts);
	strv_done(&v->volume_paths);
}

/* Keeps s, which may be NULL when memory is out: then the view is incomplete, which its printer sees. */
static const char *own(struct view *v, char *s)
{
	return strv_add_take(&v->owned, s) < 0 ? NULL : v->owned.v[v->owned.n - 1];
}

static const char *own_time(struct view *v, int64_t ns)
{
	struct buf b = { 0 };

	text_add_time(&b, ns);
	return own(v, buf_take(&b));
}

static const char *own_signal(struct view *v, int signo)
{
	const char *name = signo > 0 ? sigabbrev_np(signo) : NULL;

	if (signo >= SIGRTMIN && signo <= SIGRTMAX)
		return own(v, str_printf("SIGRTMIN+%d", signo - SIGRTMIN));
	return own(v, name ? str_printf("SIG%s", name) : str_printf("%d", signo));
}

static const char *own_namespace(struct view *v, const struct ns_spec *ns)
{
	return own(v, ns->mode == NS_CONTAINER ? str_printf("container:%s", ns->of)
					       : strdup(ns_mode_names[ns->mode]));
}

static int fill_texts(struct view *v, const char *root)
{
	const struct instance_spec *s = &v->in.spec;
	const struct ns_spec *const namespaces[N_NAMESPACES] = { &s->sandbox.ipc, &s->sandbox.pid,
								 &s->sandbox.uts, &s->sandbox.cgroup };

	v->created = own_time(v, s->created_ns);
	v->started = own_time(v, v->in.state.started_ns);
	v->finished = own_time(v, v->in.state.finished_ns);
	v->stop_signal = own_signal(v, s->stop_signal);
	v->log_path = own(v, str_printf("%s/instances/%s/log", root, s->id));
	for (int i = 0; i < N_NAMESPACES; i++)
		v->namespaces[i] = own_namespace(v, namespaces[i]);
	return v->owned.n == 5 + N_NAMESPACES ? 0 : -ENOMEM;
}

static void fill_values(struct view *v)
{
	const struct instance_spec *s = &v->in.spec;
	const struct resources *r = &s->resources;

	/* Docker's word for paused and restarting ones, too */
	v->running = instance_is_live(&v->in.state) && v->in.state.status != STATUS_STARTING;
	v->paused = v->in.state.status == STATUS_PAUSED;
	v->restarting = v->in.state.status == STATUS_RESTARTING;
	v->platform = "linux";
	if (s->process.args.n) {
		v->path = s->process.args.v[0];
		v->args = (struct strv){ s->process.args.v + 1, s->process.args.n - 1 };
	}
	v->nano_cpus = r->cpu_milli * 1000000;
	v->memory_swap = r->memory_swap_bytes ? r->memory_swap_bytes : (int64_t)r->memory_bytes;
	v->shm_bytes = s->sandbox.shm_bytes ? s->sandbox.shm_bytes : DEFAULT_SHM_BYTES;
	v->seccomp = s->seccomp ? s->seccomp : "unconfined";
	v->userns = s->sandbox.auto_ids ? "auto" : s->userns ? "private" : "host";
	v->network.name = network_names[s->network];
	v->networks = &v->network;
	v->n_networks = 1;
}

static int fill_security(struct view *v)
{
	const struct instance_spec *s = &v->in.spec;
	int r = 0;

	if (!s->seccomp)
		r = strv_add(&v->security, "seccomp=unconfined");
	if (r == 0 && s->process.no_new_privs)
		r = strv_add(&v->security, "no-new-privileges");
	if (r == 0 && s->sandbox.apparmor)
		r = strv_addf(&v->security, "apparmor=%s", s->sandbox.apparmor);
	return r;
}

static int fill_mounts(struct view *v, struct engine *en)
{
	int r = 0;

	v->mounts = calloc(v->in.spec.n_mounts + 1, sizeof(*v->mounts));
	if (!v->mounts)
		return -ENOMEM;
	for (size_t i = 0; i < v->in.spec.n_mounts && r == 0; i++) {
		const struct mount_spec *m = &v->in.spec.mounts[i];

		v->mounts[i] = (struct view_mount){
			.type = mount_type_names[m->type],
			.name = m->type == MOUNT_VOLUME ? m->source : NULL,
			.source = m->type == MOUNT_BIND ? m->source : NULL,
			.destination = m->target,
			.driver = m->type == MOUNT_VOLUME ? "local" : NULL,
			.mode = m->options,
			.rw = !m->read_only,
			.propagation = m->type != MOUNT_BIND ? NULL
				       : m->propagation	     ? m->propagation
							     : "rprivate",
		};
		if (m->type == MOUNT_VOLUME) {
			r = strv_add_take(&v->volume_paths, volume_path(en, m->source));
			v->mounts[i].source = r == 0 ? v->volume_paths.v[v->volume_paths.n - 1] : NULL;
		}
		if (r == 0 && (m->type == MOUNT_BIND || (m->type == MOUNT_VOLUME && !m->anonymous)))
			r = strv_addf(&v->binds, "%s:%s%s", m->source, m->target, m->read_only ? ":ro" : "");
		else if (m->type == MOUNT_TMPFS)
			r = strv_addf(&v->tmpfs, "%s=%s", m->target, m->options ? m->options : "");
	}
	return r;
}

/* Where its root is kept: the trees of layers and what it writes, or one file and a disk. */
static int fill_driver(struct view *v, const char *root)
{
	const struct instance_spec *s = &v->in.spec;
	AUTO(buf_done) struct buf lower = { 0 };
	int r;

	if (s->isolation == ISOLATION_VM) {
		v->driver = "erofs";
		return strv_addf(&v->driver_data, "Disk=%s/instances/%s/disk.ext4", root, s->id);
	}
	v->driver = "overlay";
	for (size_t i = s->layers.n; i > 0; i--)
		buf_addf(&lower, "%s%s/layers/%s", i < s->layers.n ? ":" : "", root,
			 s->layers.v[i - 1] + strlen("sha256:"));
	r = buf_ok(&lower) ? strv_addf(&v->driver_data, "LowerDir=%s", lower.data ? lower.data : "")
			   : -ENOMEM;
	if (r == 0)
		r = strv_addf(&v->driver_data, "UpperDir=%s/instances/%s/upper", root, s->id);
	return r < 0 ? r : strv_addf(&v->driver_data, "WorkDir=%s/instances/%s/work", root, s->id);
}

int inspect_add_instance(struct cli *c, const struct instance *in, int json_flags, struct buf *out,
			 struct err *e)
{
	AUTO(view_done) struct view v = { .in = *in };
	int r = fill_texts(&v, cli_root(c));

	fill_values(&v);
	if (r == 0)
		r = fill_security(&v);
	if (r == 0)
		r = fill_mounts(&v, c->engine);
	if (r == 0)
		r = fill_driver(&v, cli_root(c));
	if (r == 0)
		r = json_print(&view_table, &v, json_flags, out);
	return r < 0 || !buf_ok(out) ? err_set(e, ENOMEM, "out of memory") : 0;
}

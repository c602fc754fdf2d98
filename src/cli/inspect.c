/* inspect.c - ketch inspect: everything about an instance, in Docker's keys where Docker has them */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"

struct inspect_args {
	char *format;
};

static const struct opt inspect_opts[] = {
	OPT(CHOICE, 'f', "format", struct inspect_args, format, "json", "Print the array on one line"),
	{ 0 },
};

/* What is printed.  Strings are borrowed from the instance, but for the times, which are in here. */
struct view_state {
	const char *status;
	bool running, oom_killed;
	int pid, exit_code;
	const char *error, *started, *finished;
};

struct view_config {
	const char *hostname, *domainname, *user, *working_dir, *image, *stop_signal;
	bool tty, open_stdin;
	struct strv env, cmd, labels;
};

struct view_host {
	struct resources limits; /* borrowed */
	uint64_t nano_cpus;
	int64_t memory_swap;
	const char *network, *isolation, *seccomp, *userns;
	bool privileged, read_only, auto_remove, init;
	struct strv caps, groups, annotations;
	struct sandbox sandbox; /* borrowed */
	uint64_t shm_bytes;
	struct rlimit_spec *ulimits;
	size_t n_ulimits;
};

struct view_mount {
	const char *type, *name, *source, *destination, *mode;
	bool rw;
};

struct view_vm {
	const char *driver, *kernel;
	uint64_t ram_bytes;
	int vcpus;
	bool kvm;
};

struct view {
	const char *id, *created, *path, *image_id, *name, *isolation;
	struct strv args;
	struct view_state state;
	struct view_config config;
	struct view_host host;
	struct view_mount *mounts;
	size_t n_mounts;
	struct view_vm vm;
	struct strv warnings;
	char times[3][RFC3339_LEN];
	char signal_name[16];
};

static const struct jfield state_fields[] = {
	JK(J_STR, struct view_state, status, "Status"),
	JK(J_BOOL, struct view_state, running, "Running"),
	JK(J_BOOL, struct view_state, oom_killed, "OOMKilled"),
	JK(J_INT, struct view_state, pid, "Pid"),
	JK(J_INT, struct view_state, exit_code, "ExitCode"),
	JK(J_STR, struct view_state, error, "Error"),
	JK(J_STR, struct view_state, started, "StartedAt"),
	JK(J_STR, struct view_state, finished, "FinishedAt"),
	{ 0 },
};
static const struct jtable state_table = { sizeof(struct view_state), state_fields };

static const struct jfield config_fields[] = {
	JK(J_STR, struct view_config, hostname, "Hostname"),
	JK(J_STR, struct view_config, domainname, "Domainname"),
	JK(J_STR, struct view_config, user, "User"),
	JK(J_BOOL, struct view_config, tty, "Tty"),
	JK(J_BOOL, struct view_config, open_stdin, "OpenStdin"),
	JK(J_STRV, struct view_config, env, "Env"),
	JK(J_STRV, struct view_config, cmd, "Cmd"),
	JK(J_STR, struct view_config, image, "Image"),
	JK(J_STR, struct view_config, working_dir, "WorkingDir"),
	JK(J_MAP, struct view_config, labels, "Labels"),
	JK(J_STR, struct view_config, stop_signal, "StopSignal"),
	{ 0 },
};
static const struct jtable config_table = { sizeof(struct view_config), config_fields };

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

#define DEVICE_LIMITS(member, key, table) JA(struct view_host, limits.member.v, limits.member.n, key, table)

static const struct jfield device_fields[] = {
	JK(J_STR, struct device_spec, source, "PathOnHost"),
	JK(J_STR, struct device_spec, target, "PathInContainer"),
	JK(J_STR, struct device_spec, access, "CgroupPermissions"),
	{ 0 },
};
static const struct jtable device_table = { sizeof(struct device_spec), device_fields };

static const struct jfield host_fields[] = {
	JK(J_STRV, struct view_host, sandbox.hosts, "ExtraHosts"),
	JK(J_STRV, struct view_host, groups, "GroupAdd"),
	JK(J_U64, struct view_host, shm_bytes, "ShmSize"),
	JK(J_MAP, struct view_host, sandbox.sysctls, "Sysctls"),
	JA(struct view_host, sandbox.devices, sandbox.n_devices, "Devices", &device_table),
	JK(J_STRV, struct view_host, sandbox.device_rules, "DeviceCgroupRules"),
	JK(J_MAP, struct view_host, annotations, "Annotations"),
	JK(J_STR, struct view_host, sandbox.timezone, "Timezone"),
	JK(J_STR, struct view_host, network, "NetworkMode"),
	JK(J_BOOL, struct view_host, auto_remove, "AutoRemove"),
	JK(J_STRV, struct view_host, caps, "Capabilities"),
	JK(J_BOOL, struct view_host, privileged, "Privileged"),
	JK(J_BOOL, struct view_host, read_only, "ReadonlyRootfs"),
	JK(J_BOOL, struct view_host, init, "Init"),
	JK(J_STR, struct view_host, seccomp, "Seccomp"),
	JK(J_STR, struct view_host, userns, "UsernsMode"),
	JK(J_STR, struct view_host, isolation, "Isolation"),
	JK(J_U64, struct view_host, limits.memory_bytes, "Memory"),
	JK(J_U64, struct view_host, limits.memory_reservation_bytes, "MemoryReservation"),
	JK(J_I64, struct view_host, memory_swap, "MemorySwap"),
	JK(J_OPT_I64, struct view_host, limits.memory_swappiness, "MemorySwappiness"),
	JK(J_BOOL, struct view_host, limits.oom_kill_disable, "OomKillDisable"),
	JK(J_INT, struct view_host, limits.oom_score_adj, "OomScoreAdj"),
	JK(J_U64, struct view_host, nano_cpus, "NanoCpus"),
	JK(J_U64, struct view_host, limits.cpu_shares, "CpuShares"),
	JK(J_U64, struct view_host, limits.cpu_period_us, "CpuPeriod"),
	JK(J_U64, struct view_host, limits.cpu_quota_us, "CpuQuota"),
	JK(J_STR, struct view_host, limits.cpuset_cpus, "CpusetCpus"),
	JK(J_STR, struct view_host, limits.cpuset_mems, "CpusetMems"),
	JK(J_U64, struct view_host, limits.blkio_weight, "BlkioWeight"),
	DEVICE_LIMITS(blkio_weights, "BlkioWeightDevice", &device_weight_table),
	DEVICE_LIMITS(read_bps, "BlkioDeviceReadBps", &device_rate_table),
	DEVICE_LIMITS(write_bps, "BlkioDeviceWriteBps", &device_rate_table),
	DEVICE_LIMITS(read_iops, "BlkioDeviceReadIOps", &device_rate_table),
	DEVICE_LIMITS(write_iops, "BlkioDeviceWriteIOps", &device_rate_table),
	JK(J_U64, struct view_host, limits.pids, "PidsLimit"),
	JA(struct view_host, ulimits, n_ulimits, "Ulimits", &ulimit_table),
	{ 0 },
};
static const struct jtable host_table = { sizeof(struct view_host), host_fields };

static const struct jfield mount_fields[] = {
	JK(J_STR, struct view_mount, type, "Type"),
	JK(J_STR, struct view_mount, name, "Name"),
	JK(J_STR, struct view_mount, source, "Source"),
	JK(J_STR, struct view_mount, destination, "Destination"),
	JK(J_STR, struct view_mount, mode, "Mode"),
	JK(J_BOOL, struct view_mount, rw, "RW"),
	{ 0 },
};
static const struct jtable mount_table = { sizeof(struct view_mount), mount_fields };

static const struct jfield vm_fields[] = {
	JK(J_STR, struct view_vm, driver, "Driver"),	JK(J_STR, struct view_vm, kernel, "Kernel"),
	JK(J_U64, struct view_vm, ram_bytes, "Memory"), JK(J_INT, struct view_vm, vcpus, "Cpus"),
	JK(J_BOOL, struct view_vm, kvm, "Kvm"),		{ 0 },
};
static const struct jtable vm_table = { sizeof(struct view_vm), vm_fields };

static const struct jfield view_fields[] = {
	JK(J_STR, struct view, id, "Id"),
	JK(J_STR, struct view, created, "Created"),
	JK(J_STR, struct view, path, "Path"),
	JK(J_STRV, struct view, args, "Args"),
	JO(struct view, state, "State", &state_table),
	JK(J_STR, struct view, image_id, "Image"),
	JK(J_STR, struct view, name, "Name"),
	JK(J_STR, struct view, isolation, "Isolation"),
	JK(J_STRV, struct view, warnings, "Warnings"),
	JO(struct view, host, "HostConfig", &host_table),
	JA(struct view, mounts, n_mounts, "Mounts", &mount_table),
	JO(struct view, config, "Config", &config_table),
	JO(struct view, vm, "VM", &vm_table),
	{ 0 },
};
static const struct jtable view_table = { sizeof(struct view), view_fields };

static const char *time_text(int64_t ns, char *into)
{
	if (ns)
		rfc3339_format(ns, into);
	else
		strcpy(into, "0001-01-01T00:00:00Z");
	return into;
}

static void fill_state(const struct instance_state *s, struct view *v)
{
	v->state = (struct view_state){
		.status = status_names[s->status],
		.running = s->status == STATUS_RUNNING,
		.oom_killed = s->oom_killed,
		.pid = s->pid,
		.exit_code = s->exit_code,
		.error = s->error,
		.started = time_text(s->started_ns, v->times[1]),
		.finished = time_text(s->finished_ns, v->times[2]),
	};
	v->warnings = s->warnings;
}

static void fill_config(const struct instance_spec *s, struct view *v)
{
	const char *name = s->stop_signal > 0 ? sigabbrev_np(s->stop_signal) : NULL;

	if (name)
		snprintf(v->signal_name, sizeof(v->signal_name), "SIG%s", name);
	else
		snprintf(v->signal_name, sizeof(v->signal_name), "%d", s->stop_signal);
	v->config = (struct view_config){
		.hostname = s->hostname,
		.domainname = s->sandbox.domainname,
		.user = s->process.user,
		.working_dir = s->process.cwd,
		.image = s->image,
		.stop_signal = v->signal_name,
		.tty = s->process.tty,
		.open_stdin = s->open_stdin,
		.env = s->process.env,
		.cmd = s->process.args,
		.labels = s->labels,
	};
}

static void fill_host(const struct instance_spec *s, struct view_host *h)
{
	*h = (struct view_host){
		.limits = s->resources,
		.memory_swap = s->resources.memory_swap_bytes ? s->resources.memory_swap_bytes
							      : (int64_t)s->resources.memory_bytes,
		.nano_cpus = s->resources.cpu_milli * 1000000,
		.network = network_names[s->network],
		.isolation = isolation_names[s->isolation],
		.seccomp = s->seccomp ? s->seccomp : "unconfined",
		.userns = s->userns ? "private" : "host",
		.privileged = s->privileged,
		.read_only = s->read_only,
		.auto_remove = s->auto_remove,
		.init = s->init,
		.caps = s->process.caps,
		.groups = s->process.groups,
		.annotations = s->annotations,
		.sandbox = s->sandbox,
		.shm_bytes = s->sandbox.shm_bytes ? s->sandbox.shm_bytes : DEFAULT_SHM_BYTES,
		.ulimits = s->process.rlimits,
		.n_ulimits = s->process.n_rlimits,
	};
}

static void fill_mount(const struct mount_spec *m, struct view_mount *v)
{
	*v = (struct view_mount){
		.type = mount_type_names[m->type],
		.name = m->type == MOUNT_VOLUME ? m->source : NULL,
		.source = m->type == MOUNT_BIND ? m->source : NULL,
		.destination = m->target,
		.mode = m->options,
		.rw = !m->read_only,
	};
}

static int add_instance(const struct instance *in, int json_flags, struct buf *out)
{
	const struct instance_spec *s = &in->spec;
	autofree struct view_mount *mounts = calloc(s->n_mounts + 1, sizeof(*mounts));
	struct view v = {
		.id = s->id,
		.created = time_text(s->created_ns, v.times[0]),
		.image_id = s->image_id,
		.name = s->name,
		.isolation = isolation_names[s->isolation],
		.mounts = mounts,
		.n_mounts = s->n_mounts,
		.vm = { vm_driver_names[s->vm.driver], s->vm.kernel, s->vm.ram_bytes, s->vm.vcpus,
			s->vm.accel_kvm },
	};

	if (!mounts)
		return -ENOMEM;
	if (s->process.args.n) {
		v.path = s->process.args.v[0];
		v.args = (struct strv){ s->process.args.v + 1, s->process.args.n - 1 };
	}
	fill_state(&in->state, &v);
	fill_config(s, &v);
	fill_host(s, &v.host);
	for (size_t i = 0; i < s->n_mounts; i++)
		fill_mount(&s->mounts[i], &mounts[i]);
	return json_print(&view_table, &v, json_flags, out);
}

/* Docker's order: an instance, else an image. */
static int add_object(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, name, &in, e) : -e->no;

	if (r == 0)
		return add_instance(&in, json_flags, out) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
	if (r != -ENOENT)
		return r;
	r = image_inspect_add(c, name, json_flags, out, e);
	return r == -ENOENT ? err_set(e, ENOENT, "no such instance or image: %s", name) : r;
}

/* Objects are printed at depth 0 and stand one deeper in the array.  No string holds a newline. */
static void add_indented(struct buf *out, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "\n");

		buf_adds(out, "\n    ");
		buf_add(out, text, n);
		if (!text[n])
			return;
		text += n + 1;
	}
}

int inspect_each(struct cli *c, const struct strv *names, const char *format, inspect_fn add, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };
	bool pretty = !cli_is_json(format);
	int status = 0, n = 0;

	buf_addc(&out, '[');
	for (size_t i = 0; i < names->n; i++) {
		AUTO(buf_done) struct buf one = { 0 };
		struct err why = { 0 };

		if (add(c, names->v[i], JSON_ALL | (pretty ? JSON_PRETTY : 0), &one, &why) < 0) {
			status = cli_complain(&why, STATUS_FAILED);
			continue;
		}
		buf_adds(&out, n++ ? "," : "");
		if (pretty)
			add_indented(&out, one.data);
		else
			buf_add(&out, one.data, one.len);
	}
	buf_adds(&out, pretty ? "\n]\n" : "]\n");
	/* nothing found: the error alone, where Docker prints an empty array besides */
	return n && cli_print(&out, e) < 0 ? -e->no : status;
}

static int inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct inspect_args *a = args;

	return inspect_each(c, words, a->format, add_object, e);
}

const struct command cmd_inspect = {
	.name = "inspect",
	.usage = "NAME...",
	.summary = "Print all about instances or images as JSON",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = inspect_run,
};

/* spec.h - what was asked: one instance, container or virtual machine; immutable once checked
 *
 * The engine makes it from the command line and the image; the monitor and the guest act on it; it is kept
 * as JSON in the record of the instance.
 */
#ifndef INSTANCE_SPEC_H
#define INSTANCE_SPEC_H

#include <stdbool.h>
#include <stdint.h>

#include "instance/health.h"
#include "instance/log_spec.h"
#include "instance/net_spec.h"
#include "instance/process.h"
#include "instance/sandbox.h"

enum isolation { ISOLATION_CONTAINER, ISOLATION_VM, ISOLATION_N };
enum mount_type { MOUNT_BIND, MOUNT_VOLUME, MOUNT_TMPFS, MOUNT_TYPE_N };

extern const char *const isolation_names[]; /* "container", "vm", NULL */
extern const char *const mount_type_names[];
#define PROPAGATION_SLAVE  "rslave"
#define PROPAGATION_SHARED "rshared"

struct mount_spec {
	int type; /* enum mount_type */
	char *source; /* bind: absolute path on the host; volume: its name; tmpfs: NULL */
	char *target; /* absolute path inside */
	char *options; /* of the mount: "nosuid,noexec"; tmpfs also "size=64m,mode=1777"; or NULL */
	bool read_only;
	bool is_file; /* the source is not a directory */
	bool copy_up; /* begins with what the image has in its place: a tmpfs, a volume that nobody has used */
	bool anonymous; /* volume: of this instance alone, and goes with it where that is asked */
	bool shallow; /* bind: without what is mounted below the source */
	bool read_only_top; /* bind, read_only: not what is mounted below */
	char *propagation; /* bind: PROPAGATION_*, what is mounted later is seen inside, and outside; NULL: neither */
	char *subpath; /* volume: the part of it that is mounted; NULL: all */
	struct strv volume_labels, volume_options; /* volume: should it not exist yet */
};

/* A number for one block device. */
struct device_limit {
	char *path; /* as it was given */
	int64_t major, minor;
	uint64_t value; /* bytes or operations a second; a weight */
};

struct device_limits {
	struct device_limit *v;
	size_t n;
};

/* What it may use at most, and what it gets where others want the same.  0, NULL, not set: not limited, or the kernel's
 * default. */
struct resources {
	uint64_t memory_bytes; /* ceiling for the workload */
	int64_t memory_swap_bytes; /* memory and swap together; -1: no limit; 0: no swap beside memory_bytes */
	uint64_t memory_reservation_bytes; /* what it keeps when the host is short of memory */
	struct opt_i64 memory_swappiness; /* 0..100; cgroup v1 only */
	bool oom_kill_disable; /* cgroup v1 only */
	int oom_score_adj; /* of its processes */
	uint64_t cpu_milli; /* thousandths of a CPU; else period and quota */
	uint64_t cpu_period_us, cpu_quota_us;
	uint64_t cpu_shares; /* its part where CPU time is short: 1024 is everybody's */
	char *cpuset_cpus, *cpuset_mems; /* "0-2,5" */
	uint64_t blkio_weight; /* 10..1000 */
	struct device_limits blkio_weights, read_bps, write_bps, read_iops, write_iops;
	uint64_t pids;
};

enum vm_driver_kind { VM_DRIVER_QEMU, VM_DRIVER_KVM, VM_DRIVER_N };
extern const char *const vm_driver_names[]; /* "qemu", "kvm", NULL */

struct vm_spec {
	int driver; /* enum vm_driver_kind */
	char *kernel; /* version of the guest kernel; NULL until chosen */
	uint64_t ram_bytes; /* of the machine: the ceiling and what the guest kernel needs */
	int vcpus;
	bool accel_kvm; /* else software emulation, which driver qemu alone has */
	int layer_disks; /* how many of the layers are disks of their own: all, or 0: one disk has the whole image */
};

/* What the monitor does when the main process has ended by itself. */
enum restart_kind { RESTART_NO, RESTART_ON_FAILURE, RESTART_ALWAYS, RESTART_UNLESS_STOPPED, RESTART_N };
extern const char *const restart_names[]; /* Docker's words, NULL */

struct restart_policy {
	int kind; /* enum restart_kind */
	uint32_t max_retries; /* on-failure: how often; 0: no limit */
};

/* Snapshots that the monitor has made while it runs. */
struct snapshot_policy {
	int64_t every_ns; /* 0: none are made */
	uint32_t keep; /* how many of them stay: the newest */
};

struct instance_spec {
	char *id; /* 64 hex digits */
	char *name;
	int isolation; /* enum isolation */
	char *isolation_rule; /* that chose it (engine/isolation.h); NULL: it was asked for */
	char *image; /* the reference as it was given */
	char *image_id; /* sha256:... of the image's config */
	struct strv layers; /* diff ids "sha256:...", lowest first */
	struct process process;
	uint32_t n_entrypoint; /* of process.args, from the front: the entrypoint */
	struct strv cap_add, cap_drop; /* as they were given; what came of it is process.caps */
	char *hostname;
	struct mount_spec *mounts;
	size_t n_mounts;
	struct resources resources;
	struct sandbox sandbox;
	int network; /* enum network_mode */
	struct net_spec net;
	bool read_only; /* the root */
	bool init; /* a small init as PID 1 that reaps and forwards signals */
	bool privileged; /* all capabilities and devices, no masked paths */
	bool userns; /* container: a user namespace of its own */
	bool auto_remove;
	bool open_stdin;
	uint64_t storage_bytes; /* size of the writable layer; 0: as large as it gets */
	struct strv labels, annotations; /* "key=value" */
	int stop_signal;
	int stop_timeout_s;
	int timeout_s; /* it is killed after so long; 0: never */
	struct restart_policy restart;
	struct snapshot_policy snapshots;
	struct log_spec log;
	struct image_healthcheck health; /* checked and filled in; empty: none */
	char *pid_file; /* on the host, absolute: the command that starts it writes the pid there; NULL */
	char *seccomp; /* digest of the compiled filter, or NULL: unconfined */
	struct vm_spec vm;
	int64_t created_ns;
};

extern const struct jtable resources_table, restart_policy_table, snapshot_policy_table;
extern const struct jtable instance_spec_table;

/* What the monitor knows now; run-root/ID/state.json */
enum instance_status {
	STATUS_CREATED,
	STATUS_STARTING,
	STATUS_RUNNING,
	STATUS_EXITED,
	STATUS_PAUSED,
	STATUS_RESTARTING, /* nothing of it runs; its monitor waits before it starts it again */
	STATUS_N
};
extern const char *const status_names[];

struct instance_state {
	int status; /* enum instance_status */
	int pid; /* of the container's init or the VMM, as the host counts; 0: none */
	int monitor_pid;
	int64_t started_ns; /* 0: never */
	int64_t finished_ns;
	int exit_code;
	bool oom_killed;
	bool stopped_by_user; /* by stop or kill, not by its own end or the host's */
	int restarts; /* by its policy, since a user started it */
	int backoff_ms; /* what was waited before the last of them */
	bool files_only; /* what has its lock is there for its files alone; it does not run */
	struct health_state health;
	char *error; /* why it could not start or was lost; NULL */
	struct strv cgroups; /* absolute directories that hold its processes (v1: several) */
	struct strv warnings; /* what this host could not give, a sentence each */
};

extern const struct jtable instance_state_table;

/* Is there a monitor beside it?  Else it was created only, or has ended. */
bool instance_is_live(const struct instance_state *s);

#endif

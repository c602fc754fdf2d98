/* runtime.h - config.json of the OCI runtime-spec 1.2 (https://github.com/opencontainers/runtime-spec): what a caller of
 * ketch-oci asks for, as structs; parsed and checked, nothing touched
 *
 * The names are the spec's, in C's spelling.  A member that the text does not name is zero, NULL, empty or, where
 * zero would mean something, an opt_i64 that is not set.  Everything is owned by the outermost struct.
 */
#ifndef OCI_RUNTIME_H
#define OCI_RUNTIME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"

#define OCI_RUNTIME_VERSION "1.2.0"
#define OCI_CONFIG_MAX	    (16 * 1024 * 1024)

/* --- process (config.md#process) */

struct oci_user {
	uint32_t uid, gid;
	struct opt_i64 umask; /* 0..0777 */
	struct i64v additional_gids;
	char *username; /* Windows only; ignored */
};

struct oci_capabilities { /* "CAP_CHOWN"...; unknown names are kept: the caller decides */
	struct strv bounding, effective, inheritable, permitted, ambient;
};

struct oci_rlimit {
	char *type; /* "RLIMIT_NOFILE" */
	uint64_t soft, hard;
};

struct oci_scheduler {
	char *policy; /* "SCHED_OTHER"...; NULL: none given */
	int64_t nice, priority;
	struct strv flags;
	uint64_t runtime, deadline, period; /* ns */
};

struct oci_io_priority {
	char *class; /* "IOPRIO_CLASS_RT"...; NULL: none given */
	int64_t priority;
};

struct oci_process {
	bool terminal;
	int64_t console_height, console_width; /* 0: unknown */
	struct oci_user user;
	struct strv args, env;
	char *cwd;
	struct oci_capabilities capabilities;
	bool has_capabilities; /* the object is there */
	struct oci_rlimit *rlimits;
	size_t n_rlimits;
	bool no_new_privileges;
	char *apparmor_profile, *selinux_label;
	struct opt_i64 oom_score_adj;
	struct oci_scheduler scheduler;
	struct oci_io_priority io_priority;
	char *affinity_initial, *affinity_final; /* execCPUAffinity: "0-3,7" */
};

/* --- root, mounts, hooks */

struct oci_id_mapping {
	uint32_t container_id, host_id, size;
};

struct oci_mount {
	char *destination; /* absolute; what was relative is made so */
	char *type, *source;
	struct strv options;
	struct oci_id_mapping *uid_mappings, *gid_mappings;
	size_t n_uid_mappings, n_gid_mappings;
};

struct oci_hook {
	char *path;
	struct strv args, env;
	struct opt_i64 timeout; /* s */
};

struct oci_hook_list {
	struct oci_hook *v;
	size_t n;
};

struct oci_hooks {
	struct oci_hook_list prestart, create_runtime, create_container, start_container, poststart, poststop;
};

/* --- linux (config-linux.md) */

/* The order is that of oci_namespace_types. */
enum oci_namespace_type {
	OCI_NS_PID,
	OCI_NS_NETWORK,
	OCI_NS_MOUNT,
	OCI_NS_IPC,
	OCI_NS_UTS,
	OCI_NS_USER,
	OCI_NS_CGROUP,
	OCI_NS_TIME,
	OCI_NS_N
};
extern const char *const oci_namespace_types[]; /* "pid", "network"..., NULL */

struct oci_namespace {
	int type; /* enum oci_namespace_type; each at most once */
	char *path; /* join this one; NULL or "": make a new one */
};

struct oci_device {
	char *type; /* "c", "b", "u", "p" */
	char *path;
	struct opt_i64 major, minor; /* set for all but "p" */
	struct opt_i64 file_mode, uid, gid; /* 0..07777: the type, which callers add, is taken off */
};

struct oci_time_offset {
	int64_t secs;
	int64_t nanosecs;
};

struct oci_device_rule {
	bool allow;
	char *type; /* "a", "c", "b"; NULL: a */
	struct opt_i64 major, minor; /* not set, also for -1: any */
	char *access; /* of "rwm"; NULL: all */
};

struct oci_memory {
	struct opt_i64 limit, reservation, swap, kernel, kernel_tcp, swappiness; /* bytes; -1: unlimited */
	bool disable_oom_killer, use_hierarchy, check_before_update;
};

struct oci_cpu {
	struct opt_i64 shares, quota, burst, period, realtime_runtime, realtime_period, idle;
	char *cpus, *mems;
};

struct oci_weight_device {
	int64_t major, minor;
	struct opt_i64 weight, leaf_weight;
};

struct oci_throttle_device {
	int64_t major, minor;
	uint64_t rate;
};

struct oci_throttle_list {
	struct oci_throttle_device *v;
	size_t n;
};

struct oci_block_io {
	struct opt_i64 weight, leaf_weight;
	struct oci_weight_device *weight_devices;
	size_t n_weight_devices;
	struct oci_throttle_list read_bps, write_bps, read_iops, write_iops;
};

struct oci_hugepage_limit {
	char *page_size; /* "2MB" */
	uint64_t limit; /* bytes */
};

struct oci_interface_priority {
	char *name;
	uint32_t priority;
};

struct oci_rdma {
	char *device; /* the key */
	struct opt_i64 hca_handles, hca_objects;
};

/* As with runc, 0 is no limit given: it is not set (but swappiness, burst, idle, class ID and RDMA). */
struct oci_resources {
	struct oci_device_rule *devices;
	size_t n_devices;
	struct oci_memory memory;
	struct oci_cpu cpu;
	struct opt_i64 pids_limit;
	struct oci_block_io block_io;
	struct oci_hugepage_limit *hugepage_limits;
	size_t n_hugepage_limits;
	struct opt_i64 network_class_id;
	struct oci_interface_priority *network_priorities;
	size_t n_network_priorities;
	struct oci_rdma *rdma;
	size_t n_rdma;
	struct strv unified; /* "memory.high=1000" */
};

struct oci_linux {
	struct oci_id_mapping *uid_mappings, *gid_mappings;
	size_t n_uid_mappings, n_gid_mappings;
	struct strv sysctl; /* "net.ipv4.ip_forward=1" */
	struct oci_resources resources;
	char *cgroups_path;
	struct oci_namespace *namespaces;
	size_t n_namespaces;
	struct oci_device *devices;
	size_t n_devices;
	char *seccomp; /* the JSON text of linux.seccomp (for seccomp/), or NULL */
	char *rootfs_propagation;
	struct strv masked_paths, readonly_paths;
	char *mount_label;
	char *intel_rdt; /* its JSON text, or NULL */
	char *personality_domain; /* "LINUX" or "LINUX32"; NULL: none given */
	struct strv personality_flags; /* empty: the spec has none yet */
	struct oci_time_offset monotonic, boottime;
};

struct oci_spec {
	char *oci_version;
	struct oci_process process;
	bool has_process;
	char *root_path;
	bool root_readonly;
	bool has_root;
	char *hostname, *domainname;
	struct oci_mount *mounts;
	size_t n_mounts;
	struct oci_hooks hooks;
	struct strv annotations; /* "key=value" */
	struct oci_linux lnx; /* the key "linux", a word that gcc has taken */
};

/* Each parses and checks n bytes into *ret (uninitialised memory); after success *ret is the caller's to ..._done.  A
 * mistake is one line that begins with its place: "process.rlimits[0].type: unknown limit "RLIMIT_FOO"" (the caller
 * puts the file's name in front).  Keys that the spec does not have are ignored, as it demands; a key given twice, invalid
 * UTF-8, wrong types, values out of range, relative paths where the spec wants absolute ones, contradictions (a sysctl of a
 * namespace that is not new, maps without a user namespace ...) are not. */
int oci_spec_parse(const char *text, size_t n, struct oci_spec *ret, struct err *e);
void oci_spec_done(struct oci_spec *s);
/* Only the process of a config that oci_spec_parse has taken before. */
int oci_spec_parse_process(const char *text, size_t n, struct oci_process *ret, struct err *e);
/* process.json of exec. */
int oci_process_parse(const char *text, size_t n, struct oci_process *ret, struct err *e);
void oci_process_done(struct oci_process *p);
/* The resources of update. */
int oci_resources_parse(const char *text, size_t n, struct oci_resources *ret, struct err *e);
void oci_resources_done(struct oci_resources *r);

/* Are these maps of a user namespace as the kernel takes them: nothing empty, no overlap?  An error begins with `place`. */
int oci_check_mappings(struct err *e, const struct oci_id_mapping *v, size_t n, const char *place, ...)
	__attribute__((format(printf, 4, 5)));

/* The first n bytes of the name of a kernel setting, with dots or slashes, as a path below /proc/sys, owned; NULL: out of
 * memory.  Is that a path that leads nowhere else?  Which namespace has its own value (enum oci_namespace_type; -1: none,
 * it is the kernel's)? */
char *oci_sysctl_path(const char *name, size_t n);
bool oci_sysctl_is_path(const char *path);
int oci_sysctl_namespace(const char *path);

/* The namespace of this type that the spec asks for, or NULL: the runtime's own is shared. */
const struct oci_namespace *oci_namespace_find(const struct oci_linux *l, enum oci_namespace_type type);
/* Is a new one to be made? */
bool oci_namespace_is_new(const struct oci_linux *l, enum oci_namespace_type type);

#endif

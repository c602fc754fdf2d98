/* engine.h - the life of instances: everything a front door can ask for
 *
 * Records (specs) are in ROOT/ketch.db; what runs is known from the kernel: an instance runs exactly while its
 * monitor holds the lock of ROOT/instances/ID/lock.  Every call first brings records and the true state together, so that
 * after a kill -9 of anything the next command tells the truth and cleans up.
 */
#ifndef ENGINE_ENGINE_H
#define ENGINE_ENGINE_H

#include <stdbool.h>

#include "base/err.h"
#include "image/store.h"
#include "instance/host.h"
#include "instance/plan.h"
#include "instance/spec.h"

struct engine;
struct isolation_rule;

/* What the user asked of run/create/update about limits.  Zero means "not given". */
struct limits_request {
	uint64_t memory_bytes, memory_reservation_bytes, cpu_milli;
	char *memory_swap; /* bytes as parse_bytes takes them, or "-1" */
	char *memory_swappiness; /* "0".."100", "-1" */
	bool oom_kill_disable;
	int64_t oom_score_adj, cpu_shares, cpu_period_us, cpu_quota_us, blkio_weight;
	char *cpuset_cpus, *cpuset_mems;
	struct strv blkio_weights; /* "PATH:WEIGHT" */
	struct strv read_bps, write_bps; /* "PATH:BYTES" */
	struct strv read_iops, write_iops; /* "PATH:NUMBER" */
	int64_t pids_limit; /* -1: none */
};

/* What the user asked about the inside (instance/sandbox.h). */
struct sandbox_request {
	char *ipc, *pid, *uts, *cgroupns; /* "private", "host", "container:NAME" ... */
	char *userns; /* "host", "private", "auto[:size=N]" */
	struct strv uid_maps, gid_maps; /* "INSIDE:OUTSIDE:COUNT" */
	char *cgroup_parent;
	struct strv sysctls; /* "net.core.somaxconn=1024" */
	uint64_t shm_bytes;
	struct strv hosts; /* "NAME:ADDRESS" */
	bool no_hosts;
	char *domainname;
	char *timezone; /* "Europe/Berlin", "local" */
	struct strv devices; /* "SOURCE[:TARGET[:ACCESS]]" */
	struct strv device_rules; /* "c 10:200 rwm" */
	bool system; /* process 1 is an init system */
};

/* What the user asked about networks. */
struct net_request {
	struct strv
		networks; /* "NAME", "NAME:alias=,ip=,ip6=,mac=", "none", "host", "container:NAME"; none: bridge */
	char *ip, *ip6, *mac; /* of the first */
	struct strv aliases; /* on the first */
	struct strv dns, dns_search, dns_options;
	struct strv egress; /* "example.org", "*.example.org", "none", "learn" */
	struct strv publish; /* "[[ADDRESS:]HOSTPORT:]PORT[/PROTOCOL]" */
	struct strv expose; /* "PORT[-PORT][/PROTOCOL]" */
	bool publish_all;
	struct strv allow, deny; /* network/rule.h */
	struct strv rates; /* "RATE[:in|out]" (network/rate.h) */
	uint64_t burst_bytes;
	char *publish_address; /* of the host, where `publish` names none; NULL: 127.0.0.1 */
};

/* --health-*; NULL: not given. */
struct health_request {
	char *command, *interval, *timeout, *start_period, *start_interval, *retries;
	bool none; /* --no-healthcheck */
};

/* What the user asked of run/create, as text where it was text: checked and merged with the image by
 * engine_create.  Zero means "not given". */
struct run_request {
	char *image;
	struct strv args;
	char *name;
	int isolation; /* enum isolation */
	bool auto_isolation; /* isolation.h decides */
	struct strv env, env_files, unset_env;
	struct strv env_merge; /* "NAME=text with ${NAMES} of what is set already" */
	bool env_host, http_proxy, unset_env_all;
	char *workdir, *user, *hostname;
	struct strv volumes; /* "SRC:DST[:ro]" */
	struct strv mounts; /* "type=...,source=...,target=..." */
	struct strv volumes_from; /* "INSTANCE[:ro]" */
	struct strv tmpfs; /* "DST[:OPTIONS]" */
	struct limits_request limits;
	struct sandbox_request sandbox;
	struct strv ulimits; /* "nofile=1024:4096" */
	bool read_only, init, privileged, interactive, tty, auto_remove;
	bool read_only_tmpfs; /* below a read-only root: something to write to in /run, /tmp and /var/tmp */
	char *entrypoint; /* "" clears the image's */
	struct strv cap_add, cap_drop, security_opt, labels, label_files, annotations;
	struct strv groups; /* further groups of the user */
	char *umask; /* octal */
	char *platform; /* "linux/amd64" */
	int timeout_s; /* killed after so long */
	struct health_request health;
	char *log_driver; /* NULL: json-file */
	struct strv log_opts; /* "max-size=10m" */
	struct strv storage_opts; /* "size=10g" */
	char *stop_signal, *stop_timeout, *restart, *pid_file;
	char *snapshot_every, *snapshot_keep; /* "6h", "24" */
	struct net_request net;
	char *kernel; /* vm: version of the guest kernel */
	char *driver; /* vm: "kvm", "qemu"; NULL: kvm where it works */
	int rows, cols; /* of the user's terminal */
};

/* One instance as it is now. */
struct instance {
	struct instance_spec spec;
	struct instance_state state;
};

extern const struct jtable instance_table; /* {"spec": ..., "state": ...} */

/* make: a store that is missing is made; else it is as an empty one in which nothing can be made (image_store_open). */
int engine_open(const char *root, const char *run_root, bool make, struct engine **ret, struct err *e);
struct engine *engine_close(struct engine *en);
struct image_store *engine_images(struct engine *en); /* borrowed */
const struct host_facts *engine_facts(struct engine *en); /* borrowed; gathered on first use */
/* The same with the verdict on KVM, which costs a probe the first time; it is kept in RUN_ROOT. */
const struct host_facts *engine_facts_kvm(struct engine *en);
void engine_set_progress(struct engine *en, image_progress progress, void *arg);

/* Checks the request against the image and the host, makes the record.  *ret is the new instance's spec. */
int engine_create(struct engine *en, const struct run_request *rq, struct instance_spec *ret, struct err *e);
/* Which rule of isolation.h decides about the request, and nothing else.  -ENOTSUP: it wants a virtual machine where none
 * can be. */
int engine_explain(struct engine *en, const struct run_request *rq, const struct isolation_rule **ret,
		   struct err *e);
/* What engine_create + engine_start would do, without doing anything (--dry-run). */
int engine_plan(struct engine *en, const struct run_request *rq, struct plan *ret, struct err *e);
/* Starts a created instance: *ret_fd is the connection to its monitor (wire/msg.h; we are PEER_CLIENT's side).  The
 * caller must send MSG_ATTACH first (0 flags: only to hear STARTED or FAILED); the main process starts then.
 * -EALREADY: it runs. */
int engine_start(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e);
/* The same for the command that a monitor becomes when the policy starts its instance again: `lock` (taken) is the lock
 * that it held all the time.  What fails is recorded as the instance's end. */
int engine_start_locked(struct engine *en, const struct instance *in, int lock, int *ret_fd, struct err *e);
/* A further connection to the monitor of a running instance; -ESRCH "x is not running". */
int engine_connect(struct engine *en, const struct instance *in, int *ret_fd, struct err *e);
/* The config of an image that runs as this instance does, on top of its own image `im`; *ret by json_done. */
int engine_commit_config(const struct instance_spec *s, const struct image_config *im,
			 struct image_config *ret, struct err *e);
/* A connection for GET and PUT alone: to the monitor of a running instance; else to one that is started for this, without
 * the main process, and ends with the connection.  The state of the instance stays what it was. */
int engine_open_files(struct engine *en, const struct instance *in, int *ret_fd, struct err *e);
/* Afterwards, with the connection closed: waits until what was started for it has ended, with all that was written durable. */
int engine_settle_files(struct engine *en, const struct instance *in, struct err *e);

/* Before the first of several instances is made: can they all have these names?  -EINVAL, -EEXIST. */
int engine_check_new_names(struct engine *en, char *const *names, size_t n, struct err *e);
/* By name, id, or unique prefix of the id.  -ENOENT "no such instance: x". */
int engine_find(struct engine *en, const char *name, struct instance *ret, struct err *e);
/* Newest first; all: also those that do not run.  *ret by instances_free. */
int engine_list(struct engine *en, bool all, struct instance **ret, size_t *ret_n, struct err *e);
/* What an instance takes on the disk: its own writes, and those with the layers of its image. */
struct instance_size {
	uint64_t writes_bytes, all_bytes;
};
int engine_size(struct engine *en, const struct instance *in, struct instance_size *ret, struct err *e);
void instance_done(struct instance *in);
void instances_free(struct instance *in, size_t n);
/* Is an instance made from this image there? */
int engine_image_in_use(struct engine *en, const char *image_id, bool *ret, struct err *e);

/* Fills the process of an exec from the instance's own (environment, capabilities, limits, seccomp). */
int engine_exec_process(const struct instance *in, struct process *ret, struct err *e);
/* Behind a SIGKILL it waits for the end, some seconds at most. */
int engine_signal(struct engine *en, const struct instance *in, int signo, struct err *e);
/* Has all of it stand still, or go on. */
int engine_pause(struct engine *en, const struct instance *in, bool pause, struct err *e);
/* Stop signal, then SIGKILL after timeout_s (-1: the instance's own); returns when it has ended. */
int engine_stop(struct engine *en, const struct instance *in, int timeout_s, struct err *e);
/* The halves of it, so that several end at the same time: all are asked, then each is waited for. */
struct stopping {
	int fd; /* -1: it had ended already */
	int64_t end_ns;
};
int engine_stop_ask(struct engine *en, const struct instance *in, int timeout_s, struct stopping *ret,
		    struct err *e);
int engine_stop_await(struct engine *en, const struct instance *in, int timeout_s, struct stopping *s,
		      struct err *e);
/* At once, for one that is removed: what a virtual machine has not yet written to its disk is lost. */
int engine_end(struct engine *en, const struct instance *in, struct err *e);
/* The host goes down: stops everything that runs, the newest first, all at the same time; each has its own time-out.
 * ret_names: which. */
int engine_stop_all(struct engine *en, struct strv *ret_names, struct err *e);
/* The host has come up: is it one to start?  By its policy, as Docker's daemon does when it starts; never one that was not
 * started before.  Pure. */
bool engine_starts_at_boot(const struct instance *in);
/* Blocks until it has ended, and will not be started again by its policy. */
int engine_wait(struct engine *en, const struct instance *in, int *ret_exit_code, struct err *e);
/* FORCE: kills first; without it a running instance is -EBUSY.  VOLUMES: with its anonymous volumes, as --rm has it. */
enum remove_flags { REMOVE_FORCE = 1, REMOVE_VOLUMES = 2 };
int engine_remove(struct engine *en, const struct instance *in, unsigned flags, struct err *e);

struct update_request {
	struct limits_request limits;
	char *restart; /* NULL: as it is */
	char *snapshot_every, *snapshot_keep; /* the same; every "0": no more */
	struct strv net_rates;
	uint64_t net_burst_bytes; /* 0: as it is */
};
/* Changes what is given, in the record and, where it runs, at once. */
int engine_update(struct engine *en, const struct instance *in, const struct update_request *rq,
		  struct err *e);

/* The directory of the store's journal (events/journal.h); borrowed. */
int engine_events(struct engine *en);

/* Also of a running one.  -EEXIST when the name is taken. */
int engine_rename(struct engine *en, const struct instance *in, const char *name, struct err *e);
/* Removes every instance that does not run and that `takes` (NULL: any) wants.  ret_ids: which; the disk space that they
 * had. */
int engine_prune(struct engine *en, bool (*takes)(const struct instance *in, void *arg), void *arg,
		 struct strv *ret_ids, uint64_t *ret_bytes, struct err *e);
/* What an instance has written, as far as it is on the disk. */
uint64_t engine_disk_bytes(struct engine *en, const struct instance *in);

struct log_request {
	bool follow;
	int64_t tail; /* -1: all */
	int64_t since_ns, until_ns; /* time of day; 0: all */
	bool timestamps;
	bool details; /* what --log-opt labels= ... said goes before each line, and a blank */
	int out_fd, err_fd;
};
/* Writes the log to the descriptors; follow: until the instance ends. */
int engine_logs(struct engine *en, const struct instance *in, const struct log_request *rq, struct err *e);

#endif

/* container_int.h - what the files of this room share: the instance as its steps see it, and the rows of steps */
#ifndef CONTAINER_CONTAINER_INT_H
#define CONTAINER_CONTAINER_INT_H

#include <linux/filter.h>

#include "cgroup/cgroup.h"
#include "cgroup/plan.h"
#include "container/copy_up.h"
#include "container/user.h"
#include "instance/backend.h"
#include "oci/runtime.h"
#include "sys/caps.h"

struct mount_options;

/* A detached mount, made by a host step and attached by a step inside. */
struct tree {
	char *name; /* as the steps name it: "root", "fd:mount/0" */
	int fd;
};

/* What ketch-oci asks of a launch besides: its process outlives the program that starts it. */
struct launch_oci {
	const struct oci_process *process; /* exact capability sets, attributes */
	const struct oci_hooks *hooks; /* createContainer, startContainer; NULL: none (exec) */
	const char *personality; /* linux.personality.domain; NULL: as it is */
	const char *keyring; /* name of the new session keyring; NULL: the caller's is kept */
	unsigned keep_fds; /* 3 .. 3 + keep_fds - 1 go to the process */
	int console; /* connected socket that gets the master of the terminal; -1 */
	int exe_mount; /* the child closes its copy and says so; -1 */
	int start; /* FIFO, open for reading and writing: a byte releases the program; -1: at once */
};

/* The first number behind 0, 1, 2 and those that the caller hands over: ours lie from there on. */
static inline int launch_first_fd(const struct launch_oci *o)
{
	return 3 + (int)o->keep_fds;
}

/* Files to be copied by a process of ours, into the container or out of it. */
struct file_copy {
	const struct file_request *request;
	bool in;
	bool apart; /* not in the cgroups of the container, whose processes stand still */
};

/* One process to start: what its first moments need to know.  All descriptors are the child's ends. */
struct launch {
	const struct process *process; /* NULL: copy */
	const struct file_copy *copy;
	int stdio[3]; /* tty: all the slave; stdio[0] -1: /dev/null */
	int report; /* a failure goes there; its end without one means that the process runs, or that the
		     * copy begins */
	int report_parent; /* the other end of report, which the child closes: without readers it knows that the parent has gone */
	int go; /* a byte comes when the IDs of a new user namespace are mapped; then, up to the end, the state for hooks inside
		 * when those of the host have run; without hooks its end, when the process is recorded; exec: its end, when
		 * the maker has closed the mount of this program; -1: nothing to wait for */
	int go_parent; /* the other end, which the child closes: else it would wait for itself */
	bool main; /* stream 0: makes the container; else joins it */
	bool init; /* main, with our PID 1 over it */
	const struct launch_oci *oci; /* NULL: under ketch-monitor */
};

/* A namespace of somebody else's, to be joined. */
struct ns_join {
	int fd;
	int flag; /* CLONE_NEW* */
};
#define MAX_JOINS 8

/* namespaces.c: the kinds of namespaces, in the order of enum oci_namespace_type. */
extern const struct ns_kind {
	const char *name; /* in /proc/PID/ns, and in steps */
	uint64_t flag; /* CLONE_NEW* */
} ns_kinds[OCI_NS_N];
const char *ns_name(uint64_t flag);

/* One instance.  Made by container_prepare; the child of a launch acts on its copy. */
struct container {
	const struct boot *boot; /* borrowed, as are plan and state */
	const struct plan *plan;
	struct instance_state *state;
	struct tree *trees;
	size_t n_trees;
	struct cgroups cgroups;
	uint64_t clone_flags; /* CLONE_NEW* of the first process */
	bool own_cgroupns; /* unshared inside, once the process is in its cgroups */
	struct ns_join joins[MAX_JOINS];
	size_t n_joins;
	int ports_from; /* a network namespace whose interfaces the new one gets; -1: none */
	char *time_offsets; /* lines for /proc/self/timens_offsets of a new time namespace; NULL: none */
	char *uid_map, *gid_map; /* lines for /proc/PID/uid_map of a new user namespace; NULL: none */
	bool own_users; /* in a user namespace of its own, with these host IDs of root and of the group tty (5): */
	uint32_t root_uid, root_gid, tty_gid;
	struct sock_fprog filter; /* len 0: none; .filter is owned */
	uint32_t filter_flags; /* SECCOMP_FILTER_FLAG_* */
	bool can_raise; /* limits */
	bool by_user; /* made by somebody who is not root: what he may do is done by his right alone */
	bool user_entered; /* the child was born in the user namespace of the container */
	uint64_t ignored_signals; /* by the parent: the child takes their default actions back */
	char *system_cgroup; /* of an init system, which moves itself and others below it; NULL: it has none */
	int init_pidfd; /* of the first process; -1: not started */
	int init_root; /* exec: the root of the first process, where that is not the namespace's own; -1 */

	/* only inside, while the steps run */
	const struct launch *launch;
	int root; /* the new root, attached */
	int dev; /* the /dev file system */
	int proc; /* a real procfs: that of /proc, or one that nobody sees; -1: none yet */
	int cover_dir,
		cover_file; /* the first mask of each kind, of which the next are copies; -1: none yet */
	int scratch; /* a small tmpfs: files of /etc, an empty directory to mask with */
	int host_proc; /* procfs of the host, where labels are written; -1: not needed */
	int terminal; /* slave of a terminal made inside; -1 */
	struct buf hook_state; /* JSON, for hooks inside */
};

int container_prepare(struct container *c, const struct boot *b, const struct plan *p,
		      struct instance_state *state, struct err *e);
void container_done(struct container *c);
/* Clones the child of a launch; returns its pid and *ret_pidfd.  Nothing of it is waited for. */
pid_t container_launch(struct container *c, const struct launch *l, int *ret_pidfd, struct err *e);

/* Takes fd.  0 or -ENOMEM. */
int tree_add(struct container *c, const char *name, int fd);
int tree_get(const struct container *c, const char *name); /* or -ENOENT */
void tree_drop(struct container *c, const char *name);
/* The descriptor that "fd:NAME" means; -ENOENT. */
int source_fd(const struct container *c, const char *from);

/* launch.c: clones with the namespaces of c, joined and new; 0 in the child. */
pid_t launch_clone(struct container *c, const struct launch *l, int *ret_pidfd, struct err *e);
/* Has it a namespace of this kind (CLONE_NEW*) other than the monitor's: its own, or one that it joined? */
bool container_has_namespace(const struct container *c, int flag);
/* id_maps.c: in the parent: writes the ID maps of a new user namespace. */
int launch_map_ids(const struct container *c, pid_t pid, struct err *e);
/* ports.c: in the parent: the interfaces of the instance go from where the engine made them to the network namespace of our
 * child, which belongs to its own users. */
int launch_move_ports(const struct container *c, pid_t pid, struct err *e);

/* oci_process.c: the five sets as the config names them, as far as `have` goes; -EINVAL with the place of an unknown name. */
int oci_process_caps(const struct oci_process *p, uint64_t have, struct cap_sets *ret, struct err *e);
/* The user exactly as the config has it; its home as the files of the root say, where HOME is not given. */
int oci_process_user(const struct container *c, const struct oci_process *p, struct user *ret, struct err *e);
/* Do hooks have to run, on the host or inside, before the container is made? */
bool oci_hooks_are_awaited(const struct oci_hooks *h);
/* What the parent of a child of ketch-oci writes for it to go on: once its IDs are mapped, once it is recorded, behind the
 * state for its hooks, once the mount is closed.  Without it the child ends: the parent has died. */
#define OCI_GO '\0'
/* Child of exec: until its maker has fetched the seccomp listener, which the program's execve closes.  That of create waits
 * for its start anyway. */
int oci_process_wait_listener(const struct launch *l, struct err *e);
/* Child of create: until its maker has recorded it.  Only then may it live on without the maker: what `delete --force` does
 * not find in a record has to end with the maker.  Where hooks are awaited they come after that. */
int oci_process_wait_record(const struct launch *l, struct err *e);
/* In the child of exec, before a filter could forbid it: waits until this program's mount is closed. */
int oci_process_wait_mount(const struct launch *l, struct err *e);
/* In the child, ready but for its program: says so, waits for start, runs the startContainer hooks. */
int oci_process_wait_start(const struct container *c, const struct launch *l, struct err *e);

/* terminal.c: makes the terminal of an OCI process out of the container's /dev/pts and sends its master away; the slave
 * is kept in c->terminal. */
int terminal_make(struct container *c, const struct launch *l, struct err *e);

/* In the child, in the container: becomes the process of the launch; returns only a failure, with its exit
 * status in *ret_status. */
int process_become(const struct container *c, const struct launch *l, int *ret_status, struct err *e);
/* program.c: the last steps of process_become(). */
/* A bad command is to be known when the container is created, not when it is started; said in the words that callers
 * look for. */
int program_check(const struct process *p, const struct strv *env, int *ret_status, struct err *e);
/* Executes it; returns only a failure. */
int program_exec(const struct launch *l, const struct strv *env, int *ret_status, struct err *e);
/* In the child, in the container: copies what the launch says and ends.  Returns only a failure of before the first
 * byte; later ones are a line on stderr and exit status 1. */
int copy_become(const struct container *c, const struct launch *l, int *ret_status, struct err *e);
/* After a FILES_HOLD that has ended, in whatever way: a guest's disk takes writes again. */
void copy_thaw(const struct container *c);
/* In the child, as first process of a container that is there for its files: waits, without rights, until it is killed;
 * returns only a failure. */
int hold_become(const struct launch *l, struct err *e);
/* In a child that runs no program but ours: it has the streams of the launch, of all others only the n of `keep` (which are
 * sorted), and of its capabilities these. */
int ours_become(const struct launch *l, int *keep, size_t n, uint64_t caps, struct err *e);
/* PID 1 of --init: starts the process and looks after it; returns only a failure. */
int pid1_run(const struct container *c, const struct launch *l, int *ret_status, struct err *e);
/* Tells the maker which of our descriptors is the listener of our filter: by write(2), which no such filter asks about. */
int launch_report_listener(const struct launch *l, int listener, struct err *e);
/* Instead of a status: the number of the listener follows; it is the turn of the host's hooks; the mount of this program
 * is closed. */
enum { REPORT_LISTENER = 253, REPORT_HOOKS = 252, REPORT_CLOSED = 251 };
/* Has whoever started us gone? */
bool launch_parent_has_gone(const struct launch *l);
/* Writes the failure to the launch's report. */
void launch_report(const struct launch *l, int status, const struct err *e);

/* The layers ("fd:layer/N", topmost first) under the writable layer as one detached mount; -errno with e. */
int overlay_make(const struct container *c, const struct strv *layers, struct err *e);
/* Makes the tree "lower", once: what is below the writable layer.  An image without layers has none. */
int overlay_open_lower(struct container *c, struct err *e);
/* Makes the tree "written": all layers that the instance wrote, as one; none where there is only the one. */
int overlay_open_written(struct container *c, struct err *e);
/* bind.c: the mount at `source` as a detached copy with the options; -errno, with e for a step that has a place. */
int bind_make(const char *source, const char *options, struct err *e);
/* Changes a mount as the options want it; only its propagation.  0 or -errno. */
int mount_apply(int mnt, const struct mount_options *o);
int mount_propagate(int mnt, const struct mount_options *o);
/* A user namespace with these maps (lines of /proc/PID/uid_map), for ID-mapped mounts; -errno. */
int userns_make(const char *uid_map, const char *gid_map);
/* The ID outside of `inside` by these maps; root's where it is not mapped. */
uint32_t userns_outside(const char *map, uint32_t inside);
#define USERNS_IDS 65536U

/* The place of a mount of ours: made if missing, and no part of it may be a symbolic link of the image. */
int place_fixed(const struct container *c, const char *path, bool dir, struct err *e);
/* The place of a mount of the user: links of the image are followed, never out of the root. */
int place_of_user(const struct container *c, const char *path, bool dir, struct err *e);
/* The place of a mount of an OCI config: as place_of_user, but files of /proc can be covered. */
int place_of_mount(const struct container *c, const char *path, bool dir, struct err *e);
/* The entry `name` of a directory, made as an empty file if missing; no link, no directory (-EEXIST). */
int place_in(int dir, const char *name, mode_t mode);

/* steps_host.c */
/* All cgroup steps, as the planners of that room want them. */
extern const struct cgroup_rows container_cgroup_rows;
extern const struct step_op op_warn, op_cgroup_enable, op_cgroup_own, op_cgroup_make, op_cgroup_set,
	op_devices, op_seccomp, op_namespaces, op_userns, op_ns_join, op_ns_open, op_shm_of, op_id_maps,
	op_time, op_ports, op_overlay, op_root_open, op_source_open, op_terminals;
/* steps_inside.c */
extern const struct step_op op_root_attach, op_loopback, op_hostname, op_sysctl, op_tmpfs, op_bind,
	op_make_cwd, op_root_read_only, op_root_enter, op_process, op_hooks;
/* steps_system.c */
extern const struct step_op op_mount, op_mount_tree, op_host_bind, op_dev_node, op_dev_link, op_dev_host,
	op_console, op_etc_file;
/* The file of such a step, by its last name in `dir`, where it must be missing. */
int etc_file_write(int dir, const struct step *s);
/* steps_masks.c */
extern const struct step_op op_mask, op_read_only;
/* steps_oci_host.c, steps_oci.c, steps_oci_mounts.c: what only an OCI config asks for */
extern const struct step_op op_bind_open, op_idmap, op_host_slave, op_root_mount, op_kernel_set,
	op_domainname, op_propagation, op_mount_fs, op_mount_bind, op_remount, op_seal, op_dev_open, op_node,
	op_link;

/* Flags of steps. */
enum { STEP_DEEP = 1 }; /* root-open, idmap: with the mounts below */
enum { STEP_FOLLOW = 1 }; /* mask, read-only: links in the path are followed, in the root */
enum {
	STEP_CHROOT = 1,
	STEP_MOVE = 2
}; /* root-enter: by chroot(2) alone; or moved over the old root first */
enum { STEP_SEAL = 1 }; /* mount-fs: op_seal will make it read-only */
enum { STEP_BIND = 1 }; /* node: bound from the host at once */
enum { STEP_HEX = 1 }; /* etc-file: the data is the file in hexadecimal digits */

#endif

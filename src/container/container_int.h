/* container_int.h - what the files of this room share: the instance as its steps see it, and the rows of steps */
#ifndef CONTAINER_CONTAINER_INT_H
#define CONTAINER_CONTAINER_INT_H

#include <linux/filter.h>

#include "instance/backend.h"
#include "cgroup/cgroup.h"
#include "cgroup/plan.h"

/* A detached mount, made by a host step and attached by a step inside. */
struct tree {
	char *name; /* as the steps name it: "root", "fd:mount/0" */
	int fd;
};

/* One process to start: what its first moments need to know.  All descriptors are the child's ends. */
struct launch {
	const struct process *process;
	int stdio[3]; /* tty: all the slave; stdio[0] -1: /dev/null */
	int report; /* a failure goes there; its end without one means that the process runs */
	int go; /* userns: one byte comes when the IDs are mapped; else -1 */
	bool main; /* stream 0: makes the container; else joins it */
	bool init; /* main, with our PID 1 over it */
};

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
	uint32_t first_id; /* host ID of ID 0 in the user namespace; 0: no user namespace */
	struct sock_fprog filter; /* len 0: none; .filter is owned */
	bool can_raise; /* limits */
	int init_pidfd; /* of the first process; -1: not started */

	/* only inside, while the steps run */
	const struct launch *launch;
	int root; /* the new root, attached */
	int dev; /* the /dev file system */
	int scratch; /* a small tmpfs: files of /etc, an empty directory to mask with */
};

int container_prepare(struct container *c, const struct boot *b, const struct plan *p,
		      struct instance_state *state, struct err *e);
void container_done(struct container *c);
/* Clones the child of a launch; returns its pid and *ret_pidfd.  Nothing of it is waited for. */
pid_t container_launch(struct container *c, const struct launch *l, int *ret_pidfd, struct err *e);

/* Takes fd.  0 or -ENOMEM. */
int tree_add(struct container *c, const char *name, int fd);
int tree_get(const struct container *c, const char *name); /* or -ENOENT */
/* The descriptor that "fd:NAME" means; -ENOENT. */
int source_fd(const struct container *c, const char *from);

/* In the child, in the container: becomes the process of the launch; returns only a failure, with its exit
 * status in *ret_status. */
int process_become(const struct container *c, const struct launch *l, int *ret_status, struct err *e);
/* PID 1 of --init: starts the process and looks after it; returns only a failure. */
int pid1_run(const struct container *c, const struct launch *l, int *ret_status, struct err *e);
/* Writes the failure to the launch's report. */
void launch_report(const struct launch *l, int status, const struct err *e);

/* The layers ("fd:layer/N", topmost first) under the writable layer as one detached mount; -errno with e. */
int overlay_make(const struct container *c, const struct strv *layers, struct err *e);
/* A user namespace with the map first_id.., for ID-mapped mounts; -errno. */
int userns_make(uint32_t first_id);
#define USERNS_IDS 65536

/* The place of a mount of ours: made if missing, and no part of it may be a symbolic link of the image. */
int place_fixed(const struct container *c, const char *path, bool dir, struct err *e);
/* The place of a mount of the user: links of the image are followed, never out of the root. */
int place_of_user(const struct container *c, const char *path, bool dir, struct err *e);
/* Fills the empty directory `to` with what the directory `from` holds: owners, modes, times, links, xattrs. */
int copy_up(int from, int to, struct err *e);

/* steps_host.c */
extern const struct step_op op_warn, op_cgroup_enable, op_cgroup_make, op_cgroup_set, op_devices, op_seccomp,
	op_namespaces, op_userns, op_overlay, op_root_open, op_source_open, op_terminals;
/* steps_inside.c */
extern const struct step_op op_root_attach, op_loopback, op_hostname, op_sysctl, op_tmpfs, op_bind, op_volume,
	op_make_cwd, op_root_read_only, op_root_enter, op_process;
/* steps_system.c */
extern const struct step_op op_mount, op_mount_pts, op_host_bind, op_dev_node, op_dev_link, op_dev_host,
	op_console, op_etc_file, op_mask, op_read_only;

#endif

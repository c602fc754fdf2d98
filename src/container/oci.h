/* oci.h - a container as the OCI runtime-spec describes it, for ketch-oci: it outlives who made it
 *
 * The same steps, launch and last moments as under ketch-monitor; another planner in front.
 */
#ifndef CONTAINER_OCI_H
#define CONTAINER_OCI_H

#include <sys/types.h>

#include "cgroup/cgroup.h"
#include "instance/boot.h"
#include "instance/plan.h"
#include "oci/runtime.h"

struct oci_request {
	const struct oci_spec *spec;
	const struct host_facts *facts;
	const char *id;
	bool systemd_cgroup;
	bool no_cgroups; /* it stays in those of the caller */
	bool no_pivot; /* the host's root is a ramdisk: MS_MOVE and chroot instead */
	bool rootless;
};

/* Pure.  "fd:rootfs" in the steps is the bundle's root (O_PATH), "fd:seccomp" the compiled filter; relative sources of
 * mounts are relative to the current directory, which is the bundle.  *ret_cgroups as cgroup_plan_oci. */
int container_plan_oci(const struct oci_request *rq, struct plan *ret, struct strv *ret_cgroups,
		       struct err *e);

/* The process of a config in the words of instance/process.h; owned (json_done(&process_table)). */
int oci_process_convert(const struct oci_process *from, struct process *ret);

/* What is common to the first process and to those of exec. */
struct oci_start {
	const struct oci_process *process;
	const char *personality; /* linux.personality.domain or NULL */
	uint32_t filter_flags; /* SECCOMP_FILTER_FLAG_* of "seccomp" */
	const char *keyring; /* name of a new session keyring; NULL: the caller's is kept */
	unsigned keep_fds; /* 3 .. 3 + keep_fds - 1 go to the process, besides 0, 1 and 2 */
	int console; /* connected socket that gets the master of its terminal; -1 */
	/* The detached mount that this program runs from; -1: none.  While it is open, who has CAP_SYS_ADMIN could make it
	 * writable, and to close it waits for RCU: that is done here, and *exe_mount is -1 then, beside the child's work,
	 * before it goes on to its program or to `start`. */
	int *exe_mount;
	int listener; /* connected socket that gets the listener of its filter (seccomp_notify_connect); -1 */
	const char *listener_metadata; /* or NULL */
	const char *
		state; /* JSON of the container, for the agent behind `listener`; NULL: what `made` appends */
};

#define OCI_STATUS_FAILED 255 /* of exec, where the runtime is to blame */

struct oci_create {
	struct oci_start start;
	const struct oci_spec *spec;
	const struct plan *plan;
	const struct boot *boot; /* descriptors "rootfs" and "seccomp"; spec.process converted; facts */
	int fifo; /* of `start`, open for reading and writing */
	/* Called when the process and its namespaces are there: records it.  Appends the state for those who will want it. */
	int (*made)(void *arg, pid_t pid, struct buf *ret_state, struct err *e);
	/* Called when the mounts are there and the root is still the host's: prestart and createRuntime. */
	int (*host_hooks)(void *arg, const struct buf *state, struct err *e);
	void *arg;
	struct cgroup_claim *
		claim; /* gets that of the cgroups, also after a failure; the caller's to cgroup_claim_done */
};

/* Returns when the container waits for `start`: the pid of its process, which is our child, and *ret_pidfd.  On failure
 * nothing of the process is left; the cgroups are the caller's to remove, if the claim is held.  `warnings` gets a sentence for what this host
 * could not give. */
pid_t oci_container_create(const struct oci_create *rq, struct strv *warnings, int *ret_pidfd, struct err *e);

struct oci_exec {
	struct oci_start start;
	pid_t init; /* of the container */
	const struct strv *cgroups; /* "controller=directory" */
	bool exactly_there; /* also where the first process has gone elsewhere below (cgroups_open) */
	bool hold_signals; /* signals_hold before it may begin its program */
	const struct boot *boot; /* "seccomp"; spec.process converted */
};

/* Returns when the program runs: its pid, our child, and *ret_pidfd.  *ret_status: the exit status of a failure that
 * the program is to blame for (126, 127), else 255. */
pid_t oci_container_exec(const struct oci_exec *rq, int *ret_pidfd, int *ret_status, struct err *e);

/* Makes only the cgroups of such a plan, for a process that another program starts (restore).  Opened in *ret, which is the
 * caller's to cgroups_done, also after a failure. */
int oci_container_make_cgroups(const struct plan *p, struct cgroups *ret, struct strv *warnings,
			       struct err *e);

/* Kills a process that one of these has started and waits for its end. */
void oci_container_end(int pidfd);
/* Sets `resources` in the cgroups of a container that exists; `warnings` as oci_container_create. */
int oci_container_update(const struct host_facts *h, const struct strv *cgroups, const char *id,
			 const struct oci_resources *resources, struct strv *warnings, struct err *e);

#endif

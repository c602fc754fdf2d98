/* runtime.h - containers of ketch-oci: their life cycle as the OCI runtime-spec has it (runtime.md)
 *
 * No daemon, no monitor: what is known is below ROOT (record.h) and in the kernel.  Functions return 0 or -errno with e
 * filled; the words that callers of an OCI runtime look for in messages are kept.
 */
#ifndef RUNTIME_RUNTIME_H
#define RUNTIME_RUNTIME_H

#include <sys/types.h>

#include "oci/runtime.h"
#include "runtime/notify.h"
#include "runtime/record.h"

struct runtime {
	char *root; /* absolute */
	int dir; /* of it */
	int cwd; /* where the caller stands: relative names are from there */
	int *exe_mount; /* container/oci.h, struct oci_start */
	char *criu; /* the program, owned; NULL: looked up in PATH */
	bool systemd_cgroup;
	bool no_cgroups;
	bool rootless; /* not root, or only that of a user namespace: what needs more is left out */
};

/* root NULL: /run/ketch-oci, or $XDG_RUNTIME_DIR/ketch-oci for other users than root. */
int runtime_open(struct runtime *rt, const char *root, struct err *e);
void runtime_done(struct runtime *rt);

/* One container as it is now.  -ENOENT: "container does not exist". */
struct container_ref {
	int dir; /* ROOT/ID */
	struct record record; /* id alone when none was written yet */
	enum container_status status;
};
int container_ref_open(const struct runtime *rt, const char *id, struct container_ref *ret, struct err *e);
void container_ref_done(struct container_ref *c);
/* The copy of its config. */
int container_ref_config(const struct container_ref *c, struct oci_spec *ret, struct err *e);
/* Its process alone. */
int container_ref_process(const struct container_ref *c, struct oci_process *ret, struct err *e);
/* The ids of all, sorted. */
int runtime_list(const struct runtime *rt, struct strv *ret, struct err *e);
/* Appends the state (runtime.md#state).  PRETTY: on many lines; OWNED: with the owner, which runc tells in `list` only. */
enum state_form { STATE_PLAIN, STATE_PRETTY = 1, STATE_OWNED = 2 };
int runtime_add_state(const struct record *r, enum container_status status, int form, struct buf *out);

struct create_args {
	char *bundle; /* NULL: the current directory */
	char *config; /* NULL: config.json of the bundle */
	char *pid_file, *console_socket, *pidfd_socket; /* NULL: none */
	bool no_pivot, no_new_keyring;
	bool notify; /* the caller has a NOTIFY_SOCKET (notify.h) */
	int64_t preserve_fds; /* with those of listen_fds, which come first */
	int64_t listen_fds;
	int console; /* instead of console_socket: a connected socket, borrowed; 0: none */
};

/* Until the process waits for start.  ret_pidfd: of it, our child. */
int runtime_create(const struct runtime *rt, const char *id, const struct create_args *a, int *ret_pidfd,
		   struct err *e);
/* ret_notify NULL: returns when the container has said that it is ready, where somebody wants to know. */
int runtime_start(const struct runtime *rt, const char *id, struct notify *ret_notify, struct err *e);
/* all: every process in its cgroup. */
int runtime_kill(const struct runtime *rt, const char *id, int signo, bool all, struct err *e);
/* force: whatever state it is in, and none is fine too. */
int runtime_delete(const struct runtime *rt, const char *id, bool force, struct err *e);
int runtime_pause(const struct runtime *rt, const char *id, bool pause, struct err *e);
/* json: the text of linux.resources. */
int runtime_update(const struct runtime *rt, const char *id, const struct buf *json, struct err *e);

/* What dump and restore by CRIU (criu(8)) have in common. */
struct criu_args {
	char *image_path; /* directory of the images; NULL: "checkpoint" */
	char *work_path; /* directory of the logs; NULL: that of the images */
	char *manage_cgroups; /* "soft" or "ignore": the cgroups are always those of the config */
	struct strv empty_ns; /* "network": restored without what is in it */
	bool tcp_established, ext_unix_sk, shell_job, file_locks;
	bool lazy_pages; /* memory is fetched when it is needed, from the dump that serves it */
	bool auto_dedup;
};

struct checkpoint_args {
	struct criu_args criu;
	char *parent_path; /* images of an earlier pre-dump, relative to image_path; NULL: none */
	char *page_server; /* ADDRESS:PORT of where pages are sent, or with lazy_pages served; NULL: they are images */
	int64_t status_fd; /* gets a NUL byte when lazy pages are served; -1: none */
	bool leave_running, pre_dump;
};

/* Writes images of the processes, which then end unless they are to be left running.  After a failure they go on. */
int runtime_checkpoint(const struct runtime *rt, const char *id, const struct checkpoint_args *a,
		       struct err *e);

struct restore_args {
	struct criu_args criu;
	struct create_args create; /* bundle, pid_file, console_socket, console */
	char *lsm_profile, *lsm_mount_context; /* as of criu(8); NULL: those of the images */
	bool tcp_close;
};

/* A new container out of a bundle and images.  Its standard streams are the caller's where they were pipes or files.
 * ret_pidfd: of its first process, which becomes our child if we are a subreaper. */
int runtime_restore(const struct runtime *rt, const char *id, const struct restore_args *a, int *ret_pidfd,
		    struct err *e);

struct exec_args {
	char *pid_file, *console_socket, *pidfd_socket;
	int64_t preserve_fds;
	struct strv cgroups; /* below its own: cgroup_record_below */
	bool ignore_paused, no_new_keyring, no_subreaper;
	bool hold_signals; /* signals_hold before the program may begin */
	int console; /* as above */
};

/* process: owned by the caller.  Until the program runs. */
int runtime_exec(const struct runtime *rt, const struct container_ref *c, const struct oci_process *process,
		 const struct exec_args *a, int *ret_pidfd, int *ret_status, struct err *e);

/* The i-th option of mounts that a config may name, or NULL. */
const char *runtime_mount_option(size_t i);

#endif

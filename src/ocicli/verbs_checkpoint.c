/* verbs_checkpoint.c - checkpoint and restore, by CRIU */
#include <errno.h>
#include <sys/prctl.h>
#include <sys/socket.h>

#include "base/auto.h"
#include "ocicli/ocicli.h"

#define CRIU_OPTS(s, m)                                                                                      \
	OPT(STR, 0, "image-path", s, m criu.image_path, "DIR", "The images (default: checkpoint)"),          \
		OPT(STR, 0, "work-path", s, m criu.work_path, "DIR",                                         \
		    "CRIU's logs (default: that of the images)"),                                            \
		OPT(FLAG, 0, "tcp-established", s, m criu.tcp_established, NULL,                             \
		    "Also open TCP connections"),                                                            \
		OPT(FLAG, 0, "ext-unix-sk", s, m criu.ext_unix_sk, NULL,                                     \
		    "Also unix sockets that are connected to the outside"),                                  \
		OPT(FLAG, 0, "shell-job", s, m criu.shell_job, NULL, "Also shell jobs"),                     \
		OPT(FLAG, 0, "file-locks", s, m criu.file_locks, NULL, "Also file locks"),                   \
		OPT(LIST, 0, "empty-ns", s, m criu.empty_ns, "network",                                      \
		    "Leave out what is in the network namespace"),                                           \
		OPT(CHOICE, 0, "manage-cgroups-mode", s, m criu.manage_cgroups, "soft|ignore",               \
		    "The same either way: cgroups are as the config says"),                                  \
		OPT(FLAG, 0, "auto-dedup", s, m criu.auto_dedup, NULL,                                       \
		    "Free pages in images when later ones take their place, or they are restored")

/* --- checkpoint */

static const struct opt checkpoint_opts[] = {
	CRIU_OPTS(struct checkpoint_args, ),
	OPT(STR, 0, "parent-path", struct checkpoint_args, parent_path, "DIR",
	    "Images of an earlier --pre-dump, relative to --image-path"),
	OPT(FLAG, 0, "leave-running", struct checkpoint_args, leave_running, NULL,
	    "Let the container go on afterwards"),
	OPT(FLAG, 0, "pre-dump", struct checkpoint_args, pre_dump, NULL,
	    "Only its memory, while it runs: a later checkpoint takes less time"),
	OPT(STR, 0, "page-server", struct checkpoint_args, page_server, "ADDRESS:PORT",
	    "Send the memory to a \"criu page-server\" there, instead of to a file"),
	OPT(FLAG, 0, "lazy-pages", struct checkpoint_args, criu.lazy_pages, NULL,
	    "Serve the memory at --page-server until \"criu lazy-pages\" has fetched it"),
	OPT(INT, 0, "status-fd", struct checkpoint_args, status_fd, "FD",
	    "Write a NUL byte to this descriptor when --lazy-pages serves"),
	{ 0 },
};
static const struct checkpoint_args checkpoint_defaults = { .status_fd = -1 };

static int run_checkpoint(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	return runtime_checkpoint(&c->rt, words->v[0], args, e);
}

const struct verb verb_checkpoint = {
	.name = "checkpoint",
	ONE_CONTAINER,
	.summary = "Write a running container to files and stop it",
	OPTIONS(checkpoint_opts, struct checkpoint_args),
	.defaults = &checkpoint_defaults,
	.run = run_checkpoint,
};

/* --- restore */

struct restore_line {
	struct restore_args args;
	bool detach, keep, no_subreaper;
};

static const struct opt restore_opts[] = {
	CRIU_OPTS(struct restore_line, args.),
	OPT(STR, 'b', "bundle", struct restore_line, args.create.bundle, "DIR",
	    "The bundle: config.json and the root"),
	OPT(STR, 0, "pid-file", struct restore_line, args.create.pid_file, "FILE",
	    "Write the process ID there"),
	OPT(STR, 0, "console-socket", struct restore_line, args.create.console_socket, "SOCKET",
	    "Send the master of the terminal there"),
	OPT(FLAG, 0, "no-pivot", struct restore_line, args.create.no_pivot, NULL,
	    "Accepted; CRIU enters the root in its own way"),
	OPT(FLAG, 'd', "detach", struct restore_line, detach, NULL, "Return when the processes run"),
	OPT(FLAG, 0, "keep", struct restore_line, keep, NULL,
	    "Do not delete the container when its program has ended"),
	OPT(FLAG, 0, "no-subreaper", struct restore_line, no_subreaper, NULL,
	    "Accepted; the orphans of a detached container are the caller's"),
	OPT(FLAG, 0, "lazy-pages", struct restore_line, args.criu.lazy_pages, NULL,
	    "Fetch memory when it is needed, by a \"criu lazy-pages\" with the same --work-path"),
	OPT(FLAG, 0, "tcp-close", struct restore_line, args.tcp_close, NULL,
	    "TCP connections come back closed"),
	OPT(STR, 0, "lsm-profile", struct restore_line, args.lsm_profile, "TYPE:NAME",
	    "The profile of AppArmor or SELinux instead of the former"),
	OPT(STR, 0, "lsm-mount-context", struct restore_line, args.lsm_mount_context, "CONTEXT",
	    "The context of mounts instead of the former"),
	{ 0 },
};

static int run_restore(struct verb_context *c, void *args, struct strv *words, struct err *e)
{
	autoclose int pidfd = -1, ours = -1, theirs = -1;
	struct restore_line *l = args;
	int pair[2], r;

	if (!l->detach && !l->args.create.console_socket) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return err_sys(e, errno, "cannot make a socket");
		ours = pair[0];
		theirs = l->args.create.console = pair[1];
	}
	/* CRIU leaves the process to its next of kin: to us, and when we end to the caller */
	prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	r = runtime_restore(&c->rt, words->v[0], &l->args, &pidfd, e);
	if (r < 0 || l->detach)
		return r;
	return foreground_container(
		c, words->v[0], &(struct foreground_args){ .pidfd = pidfd, .tty = ours, .keep = l->keep }, e);
}

const struct verb verb_restore = {
	.name = "restore",
	ONE_CONTAINER,
	.summary = "Make a container that goes on where a checkpoint was taken",
	OPTIONS(restore_opts, struct restore_line),
	.run = run_restore,
};

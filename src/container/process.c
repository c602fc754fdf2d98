/* process.c - the last moments before exec: terminal, user, directory, rights, environment, program
 *
 * The order matters: what needs rights comes before they go; the filter comes as late as it can.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"
#include "container/attributes.h"
#include "container/container_int.h"
#include "container/lsm.h"
#include "container/rights.h"
#include "sys/keyring.h"
#include "sys/pty.h"
#include "sys/seccomp.h"

#define DEFAULT_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

/* What is no fault of the program: the instance was not made, or a further command has no place in it (as Docker has it). */
enum { STATUS_NOT_MADE = 125, STATUS_CANNOT_RUN = 126 };

/* --- standard streams */

/* The container's own /dev/null: with the host's, root inside could change the mode of the host's node.  It may
 * have been replaced: what is opened must be device 1:3 (security.md A4). */
static int open_null(int root, struct err *e)
{
	autoclose int place = open_in_root(root, "/dev/null", O_PATH, 0), fd = -1;
	struct stat st;

	if (place < 0 || fstat(place, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(e, ENODEV, "/dev/null of the container is not the null device");
	/* O_NONBLOCK means nothing to the null device; a FIFO that took its place must not hold us up */
	fd = open_in_root(root, "/dev/null", O_RDONLY | O_NOCTTY | O_NONBLOCK, 0);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISCHR(st.st_mode) || st.st_rdev != makedev(1, 3))
		return err_set(e, ENODEV, "/dev/null of the container cannot be opened");
	return take_fd(&fd);
}

static int set_stdio(const struct container *c, const struct launch *l, struct err *e)
{
	bool inside = c->terminal >= 0;
	int in = inside ? c->terminal : l->stdio[0];
	int r;

	if (in < 0) {
		in = open_null(c->root, e);
		if (in < 0)
			return in;
	}
	if (dup2(in, 0) < 0 || dup2(inside ? in : l->stdio[1], 1) < 0 ||
	    dup2(inside ? in : l->stdio[2], 2) < 0)
		return err_sys(e, errno, "cannot set the standard streams");
	/* a session of its own; with a terminal, one that nobody else has (security.md A15) */
	if (setsid() < 0)
		return err_sys(e, errno, "cannot make a session");
	r = l->process->tty ? pty_control(0) : 0;
	return r < 0 ? err_sys(e, -r, "cannot take the terminal") : 0;
}

/* Is it a pipe without a name?  All else that a caller of ketch-oci hands in may be a file of the host's. */
static bool is_pipe(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == PIPEFS_MAGIC;
}

/* The user must be able to open /dev/stdout again; /dev/null stays root's. */
static int own_stdio(const struct container *c, const struct launch *l, const struct user *u)
{
	bool ours = !l->oci || c->terminal >= 0; /* made for this process */
	struct stat st;

	for (int fd = 0; fd < 3; fd++) {
		if (fstat(fd, &st) < 0) {
			if (errno == EBADF && l->oci)
				continue; /* the caller has closed it */
			return -errno;
		}
		if ((S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3)) || (!ours && !is_pipe(fd)))
			continue;
		if (st.st_uid != u->uid && fchown(fd, u->uid, (gid_t)-1) < 0 && ours)
			return -errno;
	}
	return 0;
}

/* --- directory and environment */

static int enter_cwd(const struct container *c, const struct launch *l, struct err *e)
{
	const char *path = l->process->cwd ? l->process->cwd : "/";
	autoclose int fd = -1;
	char now[4096];

	if (*path != '/')
		return err_set(e, EINVAL, "the working directory \"%s\" is not absolute", path);
	if (!l->main) /* who joins has to find it there: a typing error makes no directory */
		fd = open_in_root(c->root, path, O_PATH | O_DIRECTORY, 0);
	else
		fd = mkdir_in_root(c->root, path, 0755);
	if (fd < 0)
		return err_sys(e, -fd, "cannot enter the working directory \"%s\"", path);
	if (fchdir(fd) < 0)
		return err_sys(e, errno, "cannot enter the working directory \"%s\"", path);
	/* A2: the kernel calls a directory outside of our root "(unreachable)..." */
	if (syscall(SYS_getcwd, now, sizeof(now)) < 0 || *now != '/')
		return err_set(e, EPERM, "the working directory \"%s\" is not inside the container", path);
	return 0;
}

static int make_env(const struct launch *l, const struct user *u, struct strv *ret, struct err *e)
{
	const struct process *p = l->process;
	int r = strv_add_all(ret, &p->env);

	if (r == 0 && !l->oci && !strv_env_get(ret, "PATH"))
		r = strv_env_set(ret, "PATH=" DEFAULT_PATH);
	if (r == 0 && !strv_env_get(ret, "HOME"))
		r = strv_addf(ret, "HOME=%s", u->home);
	if (r == 0 && !l->oci && p->tty && !strv_env_get(ret, "TERM"))
		r = strv_add(ret, "TERM=xterm");
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* --- rights */

static bool has_listener(const struct container *c)
{
	return c->filter.len && (c->filter_flags & SECCOMP_FILTER_FLAG_NEW_LISTENER);
}

static int load_filter(const struct container *c, const struct launch *l, struct err *e)
{
	const struct process *p = l->process;
	int r;

	if (!p->seccomp || !c->filter.len)
		return 0;
	r = seccomp_install(&c->filter, c->filter_flags);
	if (r < 0)
		return err_sys(e, -r, "cannot load the seccomp filter");
	if (!has_listener(c))
		return 0;
	r = launch_report_listener(l, r, e);
	return r == 0 ? oci_process_wait_listener(l, e) : r;
}

/* Else keys of whoever started us could be read through the session keyring. */
static int join_keyring(const struct container *c, const struct launch *l, struct err *e)
{
	int r = 0;

	if (!l->oci || l->oci->keyring)
		r = keyring_join_session(l->oci ? l->oci->keyring : NULL, c->clone_flags & CLONE_NEWUSER);
	return r < 0 ? err_sys(e, -r, "cannot make a session keyring") : 0;
}

/* What a config of the runtime-spec names besides; before a filter or the loss of capabilities could forbid it. */
static int take_attributes(const struct container *c, const struct launch *l, struct err *e)
{
	const struct oci_process *p = l->oci ? l->oci->process : NULL;
	int r;

	if (!p)
		return lsm_label_set_exec(c->host_proc, c->boot->spec.sandbox.apparmor, NULL, e);
	r = attributes_set_cpus(p->affinity_final, "final", e);
	if (r == 0)
		r = attributes_apply(p, e);
	if (r == 0)
		r = attributes_set_personality(l->oci->personality, e);
	return r == 0 ? lsm_label_set_exec(c->host_proc, p->apparmor_profile, p->selinux_label, e) : r;
}

static int cap_sets(const struct launch *l, const struct user *u, struct cap_sets *ret, struct err *e)
{
	struct cap_sets own = { 0 };
	int r = caps_get(&own);

	if (r < 0)
		return err_sys(e, -r, "cannot read the capabilities");
	return l->oci ? oci_process_caps(l->oci->process, own.permitted, ret, e)
		      : rights_cap_sets(&l->process->caps, u->uid, own.permitted, ret, e);
}

static int give_up_rights(const struct container *c, const struct launch *l, const struct user *u,
			  struct err *e)
{
	const struct process *p = l->process;
	struct cap_sets sets = { 0 };
	int r = join_keyring(c, l, e);

	if (r == 0)
		r = rights_apply_limits(p, c->can_raise, e);
	/* without no_new_privs only CAP_SYS_ADMIN may load a filter, so it must come before that is gone; what
	 * follows (capset, setuid, prctl, execve ...) every profile has to allow anyway */
	if (r == 0 && !p->no_new_privs)
		r = load_filter(c, l, e);
	if (r == 0)
		r = cap_sets(l, u, &sets, e);
	if (r == 0)
		r = rights_become(u, &sets, e);
	if (r == 0 && p->no_new_privs && prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return err_sys(e, errno, "cannot set no_new_privs");
	/* the listener goes to its agent while the maker is there to send it */
	return r == 0 && p->no_new_privs && has_listener(c) ? load_filter(c, l, e) : r;
}

/* Changing the user has cleared the signal of the parent's death; a parent that died before it was set again
 * is seen by the other end of the report being closed. */
static int tie_to_parent(const struct launch *l, struct err *e)
{
	struct pollfd p = { .fd = l->report };

	if (prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return err_sys(e, errno, "cannot tie the process to its monitor");
	if (poll(&p, 1, 0) > 0 && (p.revents & POLLERR))
		return err_set(e, EPIPE, "the monitor has gone");
	return 0;
}

/* A2: nothing but 0, 1 and 2 gets through, whatever the caller of the engine had open.  Closed now, not by exec:
 * else a command, or a "#!" line of the image, that is called /proc/self/fd/N/... is looked up in a directory of
 * the host.  Only the report stays, a pipe, which exec closes. */
static int close_all_but(unsigned first, int keep_a, int keep_b)
{
	int keep[2] = { keep_a < keep_b ? keep_a : keep_b, keep_a < keep_b ? keep_b : keep_a };

	for (int i = 0; i < 2; i++) {
		if (keep[i] < 0)
			continue;
		if ((unsigned)keep[i] > first &&
		    syscall(SYS_close_range, first, (unsigned)keep[i] - 1, 0) < 0)
			return -errno;
		first = (unsigned)keep[i] + 1;
	}
	return syscall(SYS_close_range, first, ~0U, 0) < 0 ? -errno : 0;
}

static int close_foreign(const struct launch *l, struct err *e)
{
	int r = l->oci ? close_all_but((unsigned)launch_first_fd(l->oci), l->report,
				       l->main ? l->oci->start : l->go)
		       : close_all_but(3, l->report, -1);

	return r < 0 ? err_sys(e, -r, "cannot close descriptors") : 0;
}

/* --- the whole */

/* Rights are gone; what remains is the program. */
static int wait_for_turn(const struct container *c, const struct launch *l, struct err *e)
{
	int r = l->oci ? oci_process_wait_start(c, l, e) : tie_to_parent(l, e);

	return r == 0 && l->process->no_new_privs && !has_listener(c) ? load_filter(c, l, e) : r;
}

int process_become(const struct container *c, const struct launch *l, int *ret_status, struct err *e)
{
	const struct process *p = l->process;
	AUTO(strv_done) struct strv env = { 0 };
	AUTO(user_done) struct user u = { 0 };
	int r;

	*ret_status = l->main || l->oci ? STATUS_NOT_MADE : STATUS_CANNOT_RUN;
	r = set_stdio(c, l, e);
	if (r == 0)
		r = l->oci ? oci_process_user(c, l->oci->process, &u, e)
			   : user_resolve(c->root, p->user, &p->groups, &u, e);
	if (r == 0)
		r = make_env(l, &u, &env, e);
	if (r == 0)
		r = enter_cwd(c, l, e);
	if (r == 0) {
		r = own_stdio(c, l, &u);
		if (r < 0)
			err_sys(e, -r, "cannot give the standard streams to the user");
	}
	if (r == 0)
		r = take_attributes(c, l, e);
	if (r == 0 && l->oci && l->main)
		r = oci_process_wait_record(l, e);
	if (r == 0)
		r = close_foreign(l, e);
	if (r == 0 && l->oci && !l->main)
		r = oci_process_wait_mount(l, e);
	if (r == 0)
		r = give_up_rights(c, l, &u, e);
	if (r == 0 && l->oci && p->args.n) /* a config without a process can be created, never started */
		r = program_check(p, &env, ret_status, e);
	if (r == 0)
		r = wait_for_turn(c, l, e);
	if (r == 0 && !p->args.n)
		r = err_set(e, EINVAL, "process: the config has none that could be started");
	return r < 0 ? r : program_exec(l, &env, ret_status, e);
}

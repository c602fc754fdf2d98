/* restore.c - images that CRIU wrote become a container again: the bundle gives what is around the processes
 *
 * Its record, cgroups and filter are made as create makes them; the rest is CRIU's, which runs in these cgroups and in
 * a mount namespace of its own, so that nothing of it is left on the host.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "base/parse.h"
#include "container/hooks.h"
#include "container/oci.h"
#include "runtime/criu.h"
#include "runtime/making.h"
#include "runtime/sockets.h"
#include "sys/pidfd.h"
#include "sys/scm.h"

#define PID_FILE "criu.pid" /* in ROOT/ID, until its number is in the record */

/* --- what CRIU is told */

struct streams {
	struct strv names;
};
static const struct jfield streams_fields[] = { J(J_STRV, struct streams, names), { 0 } };
static const struct jtable streams_table = { sizeof(struct streams), streams_fields };

/* Only what came from outside is ours to give; without the file (images of other runtimes) nothing. */
static int add_streams(struct criu *c, struct err *e)
{
	AUTO(buf_done) struct buf list = { 0 }, text = { 0 };
	struct streams s = { 0 };
	int r = read_file(c->images, CRIU_STREAMS, CRIU_STREAMS_MAX, &list);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "cannot read " CRIU_STREAMS);
	buf_addf(&text, "{\"names\":%s}", list.data ? list.data : "");
	r = json_parse(&streams_table, text.data, text.len, 0, &s, e);
	if (r < 0)
		return err_wrap(e, r, CRIU_STREAMS);
	for (size_t i = 0; i < s.names.n && i < 3 && r == 0; i++)
		if (!strncmp(s.names.v[i], "pipe:[", 6) || !strncmp(s.names.v[i], "file[", 5))
			r = criu_add(c, "--inherit-fd=fd[%d]:%s", CRIU_FD + (int)i, s.names.v[i]);
	json_done(&streams_table, &s);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* Those that CRIU does not write down (CRIU_NETNS, CRIU_PIDNS) are opened, the others joined. */
static int add_namespace(struct criu *c, const struct oci_namespace *ns, int *ret_fd)
{
	static const char *const words[] = {
		[OCI_NS_IPC] = "ipc", [OCI_NS_UTS] = "uts", [OCI_NS_TIME] = "time"
	};
	int number;

	if (ns->type != OCI_NS_NETWORK && ns->type != OCI_NS_PID)
		return criu_add(c, "--join-ns=%s:%s", words[ns->type], ns->path);
	*ret_fd = open(ns->path, O_RDONLY | O_CLOEXEC);
	number = *ret_fd < 0 ? -errno : criu_add_fd(c, *ret_fd);
	return number < 0 ? number
			  : criu_add(c, "--inherit-fd=fd[%d]:%s", number,
				     ns->type == OCI_NS_NETWORK ? CRIU_NETNS : CRIU_PIDNS);
}

static int add_namespaces(struct criu *c, const struct oci_linux *l, int fds[static OCI_NS_N], struct err *e)
{
	for (int type = 0; type < OCI_NS_N; type++) {
		const struct oci_namespace *ns = oci_namespace_find(l, type);
		int r;

		if (!ns || oci_namespace_is_new(l, type))
			continue;
		r = add_namespace(c, ns, &fds[type]);
		if (r < 0)
			return err_sys(e, -r, "config.json: linux.namespaces: %s", ns->path);
	}
	return 0;
}

static int add_restore(struct criu *c, const struct making *m, const struct restore_args *a)
{
	int r = criu_add(c, "--restore-detached");

	if (r == 0)
		r = criu_add(c, "--root=%s", m->record.rootfs);
	if (r == 0 && !c->terminal)
		r = criu_add(c, "--pidfile=%s/%s/" PID_FILE, m->rt->root, m->record.id);
	if (r == 0 && a->tcp_close)
		r = criu_add(c, "--tcp-close");
	if (r == 0 && a->lsm_profile)
		r = criu_add(c, "--lsm-profile=%s", a->lsm_profile);
	if (r == 0 && a->lsm_mount_context)
		r = criu_add(c, "--lsm-mount-context=%s", a->lsm_mount_context);
	return r;
}

static int tell(struct criu *c, const struct making *m, const struct restore_args *a, struct err *e)
{
	const struct criu_sources from = { &m->spec, &m->facts, &m->record.cgroups, m->rootfs };
	int r;

	c->terminal = m->spec.process.terminal;
	r = add_restore(c, m, a);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = add_streams(c, e);
	return r < 0 ? r : criu_add_mounts_for(c, &from, e);
}

/* --- its run */

static int run_criu(struct making *m, struct criu *c, struct err *e)
{
	AUTO(strv_done) struct strv warnings = { 0 };
	struct cgroups cgroups;
	struct criu_place place = {
		.cgroups = &cgroups,
		.rootfs = m->record.rootfs,
		.own_cgroupns = oci_namespace_find(&m->spec.lnx, OCI_NS_CGROUP),
		.no_new_privs = m->spec.process.no_new_privileges,
	};
	int r = oci_container_make_cgroups(&m->plan, &cgroups, &warnings, e);

	for (size_t i = 0; i < warnings.n; i++)
		log_warn("%s", warnings.v[i]);
	m->claim = cgroups.claim;
	cgroups.claim = CGROUP_CLAIM_INIT;
	m->record.restoring = true;
	if (r == 0)
		r = record_write(m->dir, &m->record, e);
	if (r == 0)
		r = criu_run(c, &place, e);
	m->record.restoring = false;
	cgroups_done(&cgroups);
	return r;
}

static int send_terminal(const struct making *m, const struct criu *c, struct err *e)
{
	int r;

	if (m->console < 0)
		return 0;
	if (c->master < 0)
		return err_set(e, ENOENT,
			       "the images hold no terminal, for which the config asks "
			       "(process.terminal)");
	r = scm_send(m->console, c->master, "/dev/ptmx", strlen("/dev/ptmx"));
	return r < 0 ? err_sys(e, -r, "--console-socket: cannot send the terminal") : 0;
}

static int restore_processes(struct making *m, const struct restore_args *a, struct err *e)
{
	int fds[OCI_NS_N], r;
	struct criu c;

	for (size_t i = 0; i < OCI_NS_N; i++)
		fds[i] = -1;
	r = criu_begin(&c, m->rt, "restore", &a->criu, e);
	if (r == 0)
		r = tell(&c, m, a, e);
	if (r == 0)
		r = add_namespaces(&c, &m->spec.lnx, fds, e);
	if (r == 0)
		r = run_criu(m, &c, e);
	m->pid = c.restored;
	if (r == 0)
		r = send_terminal(m, &c, e);
	for (size_t i = 0; i < OCI_NS_N; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	criu_done(&c);
	return r;
}

/* --- the container runs */

static void read_pid_file(struct making *m)
{
	AUTO(buf_done) struct buf b = { 0 };
	uint32_t pid = 0;

	if (read_file(m->dir, PID_FILE, 32, &b) == 0 && b.data && parse_u32(b.data, &pid) == 0)
		m->pid = (pid_t)pid;
	unlinkat(m->dir, PID_FILE, 0);
}

static int take_process(struct making *m, int *ret_pidfd, struct err *e)
{
	if (!m->pid)
		read_pid_file(m);
	if (m->pid <= 0)
		return err_set(e, EPROTO, "CRIU does not say which process it has restored");
	*ret_pidfd = pidfd_open_pid(m->pid);
	if (*ret_pidfd < 0 || record_pid_start(m->pid, &m->record.pid_start) < 0)
		return err_set(e, ECHILD, "the restored process has ended");
	m->record.pid = m->pid;
	return record_write(m->dir, &m->record, e);
}

/* Those of the host alone: what hooks inside have done is in the images. */
static int run_hooks(struct making *m, struct err *e)
{
	AUTO(strv_done) struct strv failed = { 0 };
	AUTO(buf_done) struct buf state = { 0 };
	const struct oci_hooks *h = &m->spec.hooks;
	int r;

	if (runtime_add_state(&m->record, CONTAINER_RUNNING, STATE_PLAIN, &state) < 0)
		return err_set(e, ENOMEM, "out of memory");
	r = hooks_run(&h->prestart, "prestart", &state, e);
	if (r == 0)
		r = hooks_run(&h->create_runtime, "createRuntime", &state, e);
	if (r == 0)
		hooks_run_all(&h->poststart, "poststart", &state, &failed);
	for (size_t i = 0; i < failed.n; i++)
		log_warn("%s", failed.v[i]);
	return r;
}

static int restore(struct making *m, const struct restore_args *a, int *ret_pidfd, struct err *e)
{
	int r = making_make_directory(m, e);

	if (m->dir < 0) /* it is somebody else's, or nothing */
		return r;
	if (r == 0)
		r = making_make_filter(m, e);
	if (r == 0)
		r = making_open_console(m, e);
	if (r == 0)
		r = restore_processes(m, a, e);
	if (r == 0)
		r = take_process(m, ret_pidfd, e);
	if (r == 0)
		r = run_hooks(m, e);
	if (r == 0)
		r = pid_file_write(m->rt->cwd, a->create.pid_file, m->pid, e);
	if (r < 0)
		making_undo(m, ret_pidfd);
	return r;
}

int runtime_restore(const struct runtime *rt, const char *id, const struct restore_args *a, int *ret_pidfd,
		    struct err *e)
{
	AUTO(making_done) struct making m;
	int r;

	*ret_pidfd = -1;
	r = making_open(&m, rt, id, &a->create, e);
	if (r == 0)
		r = criu_check_spec(&m.spec, rt, e);
	return r == 0 ? restore(&m, a, ret_pidfd, e) : r;
}

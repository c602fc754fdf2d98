/* create.c - a bundle becomes a container that waits for its start
 *
 * Intent before effect: the directory, then the record with the names of the cgroups, then they themselves, then the
 * process.  Killed anywhere, what is there is named by what was written before.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "cgroup/detect.h"
#include "cgroup/ops.h"
#include "container/hooks.h"
#include "container/oci.h"
#include "runtime/runtime.h"
#include "runtime/sockets.h"
#include "seccomp/oci.h"

/* What is made on the way, all of it freed at the end. */
struct making {
	const struct runtime *rt;
	const struct create_args *args;
	struct oci_spec spec;
	struct buf config; /* its text */
	struct host_facts facts;
	struct plan plan;
	struct record record;
	struct boot boot;
	int dir; /* ROOT/ID */
	int fifo, console, rootfs, filter, listener;
	pid_t pid;
};

static void making_done(struct making *m)
{
	int *fds[] = { &m->dir, &m->fifo, &m->console, &m->rootfs, &m->filter, &m->listener };

	oci_spec_done(&m->spec);
	buf_done(&m->config);
	json_done(&host_facts_table, &m->facts);
	plan_done(&m->plan);
	record_done(&m->record);
	m->boot.facts = (struct host_facts){ 0 }; /* borrowed */
	json_done(&process_table, &m->boot.spec.process);
	for (size_t i = 0; i < m->boot.n_fds; i++)
		free(m->boot.fds[i].name);
	free(m->boot.fds);
	for (size_t i = 0; i < ARRAY_LEN(fds); i++)
		if (*fds[i] >= 0)
			close(*fds[i]);
}

/* --- the bundle */

static int enter_bundle(struct making *m, struct err *e)
{
	const char *bundle = m->args->bundle ? m->args->bundle : ".";
	int r;

	m->record.bundle = realpath(bundle, NULL);
	if (!m->record.bundle || chdir(m->record.bundle) < 0)
		return err_sys(e, errno, "--bundle %s", bundle);
	r = read_file(AT_FDCWD, "config.json", OCI_CONFIG_MAX, &m->config);
	if (r < 0)
		return err_sys(e, -r, "config.json of bundle %s", m->record.bundle);
	r = oci_spec_parse(m->config.data ? m->config.data : "", m->config.len, &m->spec, e);
	return r < 0 ? err_wrap(e, r, "config.json") : 0;
}

static int open_rootfs(struct making *m, struct err *e)
{
	const char *path = m->spec.root_path;

	m->record.rootfs = path ? realpath(path, NULL) : NULL;
	m->rootfs = m->record.rootfs ? open(m->record.rootfs, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
	if (m->rootfs < 0)
		return err_sys(e, errno, "config.json: root.path: \"%s\"", path ? path : "");
	return 0;
}

static int make_plan(struct making *m, struct err *e)
{
	struct oci_request rq = {
		.spec = &m->spec,
		.facts = &m->facts,
		.id = m->record.id,
		.systemd_cgroup = m->rt->systemd_cgroup,
		.no_cgroups = m->rt->no_cgroups,
		.no_pivot = m->args->no_pivot,
		.rootless = m->rt->rootless,
	};
	int r;

	cgroup_detect(&m->facts);
	r = container_plan_oci(&rq, &m->plan, &m->record.cgroups, e);
	return r < 0 ? err_wrap(e, r, "config.json") : 0;
}

/* --- what is remembered */

static int fill_record(struct making *m, struct err *e)
{
	const struct oci_spec *s = &m->spec;
	struct record *r = &m->record;

	r->created_ns = clock_real_ns();
	r->oci_version = strdup(s->oci_version);
	r->shared_mounts = !oci_namespace_find(&s->lnx, OCI_NS_MOUNT);
	r->user_namespace = oci_namespace_find(&s->lnx, OCI_NS_USER);
	r->poststart = s->hooks.poststart.n;
	r->poststop = s->hooks.poststop.n;
	if (!m->args->no_new_keyring)
		r->keyring = str_printf("_ses.%s", r->id);
	if (s->lnx.personality_domain)
		r->personality = strdup(s->lnx.personality_domain);
	if (!r->oci_version || (!m->args->no_new_keyring && !r->keyring) ||
	    strv_add_all(&r->annotations, &s->annotations) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

static int make_directory(struct making *m, struct err *e)
{
	int r;

	if (mkdirat(m->rt->dir, m->record.id, 0700) < 0)
		return errno == EEXIST ? err_set(e, EEXIST, "container with given ID already exists: %s",
						 m->record.id)
				       : err_sys(e, errno, "cannot make the directory of the container");
	m->dir = openat(m->rt->dir, m->record.id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (m->dir < 0)
		return err_sys(e, errno, "cannot open the directory of the container");
	r = record_write(m->dir, &m->record, e);
	if (r < 0)
		return r;
	r = write_file_swap(m->dir, "config.json", 0600, m->config.data, m->config.len);
	if (r < 0)
		return err_sys(e, -r, "cannot keep the config");
	if (mkfifoat(m->dir, "start", 0600) < 0)
		return err_sys(e, errno, "cannot make a FIFO");
	m->fifo = openat(m->dir, "start", O_RDWR | O_CLOEXEC);
	return m->fifo < 0 ? err_sys(e, errno, "cannot open the FIFO") : 0;
}

/* --- what the process is made from */

/* Kept as a file, for exec. */
static int make_filter(struct making *m, struct err *e)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
	autofree char *cache = str_printf("%s/.seccomp", m->rt->root);
	int r;

	if (!m->spec.lnx.seccomp)
		return 0;
	r = seccomp_oci_build(cache, m->spec.lnx.seccomp, &s, e);
	if (r < 0)
		return err_wrap(e, r, "config.json");
	m->record.filter_flags = s.flags;
	m->record.listener = take_ptr(s.listener_path);
	m->record.listener_metadata = take_ptr(s.listener_metadata);
	r = write_file_swap(m->dir, "seccomp.bpf", 0600, s.program.data, s.program.len);
	m->filter = r < 0 ? r : openat(m->dir, "seccomp.bpf", O_RDONLY | O_CLOEXEC);
	if (m->filter < 0)
		return err_sys(e, r < 0 ? -r : errno, "cannot keep the seccomp filter");
	if (boot_add_fd(&m->boot, "seccomp", m->filter) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return listener_connect(&m->record, &m->listener, e);
}

static int fill_boot(struct making *m, struct err *e)
{
	int r = oci_process_convert(&m->spec.process, &m->boot.spec.process);

	m->boot.facts = m->facts;
	m->boot.spec.userns = m->record.user_namespace;
	m->boot.spec.process.seccomp = m->spec.lnx.seccomp;
	if (r == 0)
		r = boot_add_fd(&m->boot, "rootfs", m->rootfs);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int open_console(struct making *m, struct err *e)
{
	if (!m->spec.process.terminal)
		return m->args->console_socket ? err_set(e, EINVAL,
							 "--console-socket: the config asks for no terminal "
							 "(process.terminal)")
					       : 0;
	if (!m->args->console_socket && !m->args->console)
		return err_set(e, EINVAL, "process.terminal: a terminal needs --console-socket");
	m->console = m->args->console_socket
			     ? socket_connect(m->rt->cwd, m->args->console_socket, "--console-socket", e)
			     : fcntl(m->args->console, F_DUPFD_CLOEXEC, 3);
	return m->console < 0 ? m->console : 0;
}

/* --- the container exists, its program waits */

static int run_host_hooks(struct making *m, const struct buf *state, struct err *e)
{
	int r = hooks_run(&m->spec.hooks.prestart, "prestart", state, e);

	return r == 0 ? hooks_run(&m->spec.hooks.create_runtime, "createRuntime", state, e) : r;
}

static bool wants_state(const struct making *m)
{
	const struct oci_hooks *h = &m->spec.hooks;

	return h->prestart.n || h->create_runtime.n || h->create_container.n || h->start_container.n ||
	       m->listener >= 0;
}

static int on_made(void *arg, pid_t pid, struct buf *ret_state, struct err *e)
{
	struct making *m = arg;
	int r;

	m->record.pid = pid;
	if (record_pid_start(pid, &m->record.pid_start) < 0)
		return err_set(e, ECHILD, "the process has ended");
	r = record_write(m->dir, &m->record, e);
	if (r < 0)
		return r;
	if (!wants_state(m))
		return 0;
	if (runtime_add_state(&m->record, CONTAINER_CREATED, false, ret_state) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return run_host_hooks(m, ret_state, e);
}

static int make_container(struct making *m, int *ret_pidfd, struct err *e)
{
	AUTO(strv_done) struct strv warnings = { 0 };
	struct oci_create rq = {
		.start = {
			.process = &m->spec.process,
			.personality = m->record.personality,
			.filter_flags = (uint32_t)m->record.filter_flags,
			.listener = m->listener,
			.listener_metadata = m->record.listener_metadata,
			.keyring = m->record.keyring,
			.keep_fds = (unsigned)m->args->preserve_fds,
			.console = m->console,
		},
		.spec = &m->spec,
		.plan = &m->plan,
		.boot = &m->boot,
		.fifo = m->fifo,
		.made = on_made,
		.arg = m,
	};

	m->pid = oci_container_create(&rq, &warnings, ret_pidfd, e);
	for (size_t i = 0; i < warnings.n; i++)
		log_warn("%s", warnings.v[i]);
	return m->pid < 0 ? m->pid : 0;
}

/* After a failure: nothing of it stays. */
static void unmake(struct making *m, int *pidfd)
{
	struct err ignored = { 0 };

	if (*pidfd >= 0) {
		oci_container_end(*pidfd);
		close(*pidfd);
		*pidfd = -1;
	}
	record_unmount(&m->record);
	cgroup_record_remove(&m->record.cgroups, &ignored);
	if (m->dir >= 0)
		remove_tree(m->rt->dir, m->record.id);
}

static int make(struct making *m, int *ret_pidfd, struct err *e)
{
	int r = make_directory(m, e);

	if (m->dir < 0) /* it is somebody else's, or nothing */
		return r;
	if (r == 0)
		r = make_filter(m, e);
	if (r == 0)
		r = fill_boot(m, e);
	if (r == 0)
		r = open_console(m, e);
	if (r == 0)
		r = make_container(m, ret_pidfd, e);
	if (r == 0)
		r = socket_send_pidfd(m->rt->cwd, m->args->pidfd_socket, *ret_pidfd, e);
	if (r == 0)
		r = pid_file_write(m->rt->cwd, m->args->pid_file, m->pid, e);
	if (r < 0)
		unmake(m, ret_pidfd);
	return r;
}

int runtime_create(const struct runtime *rt, const char *id, const struct create_args *a, int *ret_pidfd,
		   struct err *e)
{
	AUTO(making_done)
	struct making m = { .rt = rt,
			    .args = a,
			    .dir = -1,
			    .fifo = -1,
			    .console = -1,
			    .rootfs = -1,
			    .filter = -1,
			    .listener = -1 };
	int r;

	*ret_pidfd = -1;
	if (!record_id_is_valid(id))
		return err_set(e, EINVAL, "invalid container ID \"%.80s\"", id);
	m.record.id = strdup(id);
	if (!m.record.id)
		return err_set(e, ENOMEM, "out of memory");
	r = enter_bundle(&m, e);
	if (r == 0)
		r = open_rootfs(&m, e);
	if (r == 0)
		r = make_plan(&m, e);
	if (r == 0)
		r = fill_record(&m, e);
	return r == 0 ? make(&m, ret_pidfd, e) : r;
}

/* making.c - the first steps of a container that is created or restored: its bundle, what is remembered, its filter */
#include "runtime/making.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "cgroup/detect.h"
#include "cgroup/ops.h"
#include "container/oci.h"
#include "runtime/notify.h"
#include "runtime/sockets.h"
#include "seccomp/oci.h"

void making_done(struct making *m)
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
	cgroup_claim_done(&m->claim);
}

/* --- the bundle */

static int enter_bundle(struct making *m, struct err *e)
{
	const char *bundle = m->args->bundle ? m->args->bundle : ".";
	int r;

	m->record.bundle = realpath(bundle, NULL);
	if (!m->record.bundle || chdir(m->record.bundle) < 0)
		return err_sys(e, errno, "--bundle %s", bundle);
	if (m->args->config)
		r = read_file(m->rt->cwd, m->args->config, OCI_CONFIG_MAX, &m->config);
	else
		r = read_file(AT_FDCWD, "config.json", OCI_CONFIG_MAX, &m->config);
	if (r < 0 && m->args->config)
		return err_sys(e, -r, "--config %s", m->args->config);
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

static int add_notify(struct making *m, struct err *e)
{
	autofree char *dir = str_printf("%s/%s", m->rt->root, m->record.id);

	return dir ? notify_add(&m->spec, dir, e) : err_set(e, ENOMEM, "out of memory");
}

/* Before they are recorded as ours: what is recorded is killed and removed when something fails. */
static int check_cgroups(const struct making *m, struct err *e)
{
	AUTO(strv_done) struct strv dirs = { 0 };

	if (cgroup_record_dirs(&m->record.cgroups, &dirs) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (cgroup_has_processes(&dirs) > 0)
		return err_set(
			e, EBUSY,
			"config.json: linux.cgroupsPath: this cgroup is in use: there are processes in it");
	return 0;
}

static bool has_selinux(void)
{
	struct statfs fs;

	return statfs("/sys/fs/selinux", &fs) == 0 && fs.f_type == SELINUX_MAGIC;
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

	cgroup_detect_all(&m->facts);
	m->facts.selinux = has_selinux();
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
	r->own_pids = oci_namespace_is_new(&s->lnx, OCI_NS_PID);
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

int making_open(struct making *m, const struct runtime *rt, const char *id, const struct create_args *a,
		struct err *e)
{
	int r;

	*m = (struct making){
		.rt = rt,
		.args = a,
		.dir = -1,
		.fifo = -1,
		.console = -1,
		.rootfs = -1,
		.filter = -1,
		.listener = -1,
		.claim = CGROUP_CLAIM_INIT,
	};
	if (!record_id_is_valid(id))
		return err_set(e, EINVAL, "invalid container ID \"%.80s\"", id);
	m->record.id = strdup(id);
	if (!m->record.id)
		return err_set(e, ENOMEM, "out of memory");
	r = enter_bundle(m, e);
	if (r == 0 && a->notify)
		r = add_notify(m, e);
	if (r == 0)
		r = open_rootfs(m, e);
	if (r == 0)
		r = make_plan(m, e);
	return r == 0 ? fill_record(m, e) : r;
}

static bool is_still_there(const struct making *m, int dir)
{
	struct stat opened, named;

	return fstat(dir, &opened) == 0 &&
	       fstatat(m->rt->dir, m->record.id, &named, AT_SYMLINK_NOFOLLOW) == 0 &&
	       opened.st_ino == named.st_ino && opened.st_dev == named.st_dev;
}

static int make_locked(struct making *m, struct err *e)
{
	autoclose int dir = -1;

	if (mkdirat(m->rt->dir, m->record.id, 0700) < 0)
		return errno == EEXIST ? err_set(e, EEXIST, "container with given ID already exists: %s",
						 m->record.id)
				       : err_sys(e, errno, "cannot make the directory of the container");
	dir = openat(m->rt->dir, m->record.id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (dir < 0)
		return err_sys(e, errno, "cannot open the directory of the container");
	if (record_lock(dir, 0) < 0 || !is_still_there(m, dir))
		return err_set(e, EBUSY, "container %s is deleted while it is being created", m->record.id);
	m->dir = take_fd(&dir);
	return 0;
}

int making_make_directory(struct making *m, struct err *e)
{
	int r = make_locked(m, e);

	if (r < 0)
		return r;
	r = check_cgroups(m, e);
	if (r < 0) {
		close(m->dir);
		m->dir = -1;
		unlinkat(m->rt->dir, m->record.id, AT_REMOVEDIR);
		return r;
	}
	r = record_write(m->dir, &m->record, e);
	if (r < 0)
		return r;
	r = write_file_swap(m->dir, "config.json", 0600, m->config.data, m->config.len);
	return r < 0 ? err_sys(e, -r, "cannot keep the config") : 0;
}

/* --- what the process is made from */

/* Kept as a file, for exec. */
int making_make_filter(struct making *m, struct err *e)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
	autofree char *cache = str_printf("%s/" RECORD_FILTERS, m->rt->root);
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

int making_open_console(struct making *m, struct err *e)
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

/* After a failure: nothing of it stays. */
void making_undo(struct making *m, int *pidfd)
{
	struct err ignored = { 0 };

	if (*pidfd >= 0) {
		oci_container_end(*pidfd);
		close(*pidfd);
		*pidfd = -1;
	}
	record_unmount(&m->record);
	if (m->claim.held)
		cgroup_record_remove(&m->record.cgroups, &ignored);
	if (m->dir >= 0)
		remove_tree(m->rt->dir, m->record.id);
}

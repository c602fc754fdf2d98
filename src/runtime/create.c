/* create.c - a bundle becomes a container that waits for its start */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "container/hooks.h"
#include "container/oci.h"
#include "runtime/making.h"
#include "runtime/notify.h"
#include "runtime/runtime.h"
#include "runtime/sockets.h"

static int make_fifo(struct making *m, struct err *e)
{
	if (mkfifoat(m->dir, "start", 0600) < 0)
		return err_sys(e, errno, "cannot make a FIFO");
	m->fifo = openat(m->dir, "start", O_RDWR | O_CLOEXEC);
	return m->fifo < 0 ? err_sys(e, errno, "cannot open the FIFO") : 0;
}

/* sd_listen_fds(3): the process has number 1 in its namespace. */
static int tell_of_sockets(struct making *m)
{
	struct strv *env = &m->boot.spec.process.env;
	autofree char *fds = str_printf("LISTEN_FDS=%lld", (long long)m->args->listen_fds);
	int r = fds ? strv_env_set(env, fds) : -ENOMEM;

	return r == 0 ? strv_env_set(env, "LISTEN_PID=1") : r;
}

static int fill_boot(struct making *m, struct err *e)
{
	int r = oci_process_convert(&m->spec.process, &m->boot.spec.process);

	m->boot.facts = m->facts;
	m->boot.spec.userns = m->record.user_namespace;
	m->boot.spec.process.seccomp = m->spec.lnx.seccomp;
	if (r == 0 && m->args->listen_fds)
		r = tell_of_sockets(m);
	if (r == 0)
		r = boot_add_fd(&m->boot, "rootfs", m->rootfs);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* --- the container exists, its program waits */

static int run_host_hooks(void *arg, const struct buf *state, struct err *e)
{
	const struct making *m = arg;
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
	if (runtime_add_state(&m->record, CONTAINER_CREATED, STATE_PLAIN, ret_state) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
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
			.exe_mount = m->rt->exe_mount,
		},
		.spec = &m->spec,
		.plan = &m->plan,
		.boot = &m->boot,
		.fifo = m->fifo,
		.made = on_made,
		.host_hooks = run_host_hooks,
		.arg = m,
		.claim = &m->claim,
	};

	m->pid = oci_container_create(&rq, &warnings, ret_pidfd, e);
	for (size_t i = 0; i < warnings.n; i++)
		log_warn("%s", warnings.v[i]);
	return m->pid < 0 ? m->pid : 0;
}

static int make(struct making *m, int *ret_pidfd, struct err *e)
{
	int r = making_make_directory(m, e);

	if (m->dir < 0) /* it is somebody else's, or nothing */
		return r;
	if (r == 0 && m->args->notify)
		r = notify_make_directory(m->dir, e);
	if (r == 0)
		r = make_fifo(m, e);
	if (r == 0)
		r = making_make_filter(m, e);
	if (r == 0)
		r = fill_boot(m, e);
	if (r == 0)
		r = making_open_console(m, e);
	if (r == 0)
		r = make_container(m, ret_pidfd, e);
	if (r == 0)
		r = socket_send_pidfd(m->rt->cwd, m->args->pidfd_socket, *ret_pidfd, e);
	if (r == 0)
		r = pid_file_write(m->rt->cwd, m->args->pid_file, m->pid, e);
	if (r < 0)
		making_undo(m, ret_pidfd);
	return r;
}

int runtime_create(const struct runtime *rt, const char *id, const struct create_args *a, int *ret_pidfd,
		   struct err *e)
{
	AUTO(making_done) struct making m;
	int r;

	*ret_pidfd = -1;
	r = making_open(&m, rt, id, a, e);
	return r == 0 ? make(&m, ret_pidfd, e) : r;
}

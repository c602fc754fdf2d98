/* exec.c - a further process in a container */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "cgroup/ops.h"
#include "container/oci.h"
#include "runtime/runtime.h"
#include "runtime/sockets.h"

static int check(const struct container_ref *c, const struct exec_args *a, struct err *e)
{
	switch (c->status) {
	case CONTAINER_CREATED:
	case CONTAINER_RUNNING:
		return 0;
	case CONTAINER_PAUSED:
		return a->ignore_paused ? 0
					: err_set(e, EBUSY,
						  "cannot exec in a paused container (use --ignore-paused to "
						  "override)");
	case CONTAINER_CREATING:
	case CONTAINER_STOPPED:
		break;
	}
	return err_set(e, ESRCH, "cannot exec in a stopped container");
}

static int open_console(const struct runtime *rt, const struct oci_process *p, const struct exec_args *a,
			int *ret, struct err *e)
{
	if (!p->terminal)
		return a->console_socket
			       ? err_set(e, EINVAL, "--console-socket: the process asks for no terminal")
			       : 0;
	if (!a->console_socket && !a->console)
		return err_set(e, EINVAL, "terminal: it needs --console-socket");
	*ret = a->console_socket ? socket_connect(rt->cwd, a->console_socket, "--console-socket", e)
				 : fcntl(a->console, F_DUPFD_CLOEXEC, 3);
	return *ret < 0 ? *ret : 0;
}

static void boot_done(struct boot *b)
{
	json_done(&process_table, &b->spec.process);
	for (size_t i = 0; i < b->n_fds; i++)
		free(b->fds[i].name);
	free(b->fds);
}

int runtime_exec(const struct runtime *rt, const struct container_ref *c, const struct oci_process *process,
		 const struct exec_args *a, int *ret_pidfd, int *ret_status, struct err *e)
{
	AUTO(boot_done) struct boot boot = { .spec.userns = c->record.user_namespace };
	autoclose int console = -1, filter = -1, listener = -1;
	AUTO(buf_done) struct buf state = { 0 };
	AUTO(strv_done) struct strv cgroups = { 0 };
	struct oci_exec rq = {
		.start = { .process = process,
			   .personality = c->record.personality,
			   .filter_flags = (uint32_t)c->record.filter_flags,
			   .listener_metadata = c->record.listener_metadata,
			   .keyring = a->no_new_keyring ? NULL : c->record.keyring,
			   .keep_fds = (unsigned)a->preserve_fds,
			   .exe_mount = rt->exe_mount },
		.init = c->record.pid,
		.cgroups = &cgroups,
		.exactly_there = a->cgroups.n,
		.hold_signals = a->hold_signals,
		.boot = &boot,
	};
	int r = check(c, a, e);
	pid_t pid;

	*ret_status = OCI_STATUS_FAILED;
	if (r == 0)
		r = cgroup_record_below(&c->record.cgroups, &a->cgroups, &cgroups, e);
	if (r == 0)
		r = open_console(rt, process, a, &console, e);
	if (r < 0)
		return r;
	r = listener_connect(&c->record, &listener, e);
	if (r == 0 && listener >= 0 && runtime_add_state(&c->record, c->status, STATE_PLAIN, &state) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	rq.start.console = console;
	rq.start.listener = listener;
	rq.start.state = state.data;
	if (oci_process_convert(process, &boot.spec.process) < 0)
		return err_set(e, ENOMEM, "out of memory");
	filter = openat(c->dir, "seccomp.bpf", O_RDONLY | O_CLOEXEC);
	boot.spec.process.seccomp = filter >= 0;
	if (filter >= 0 && boot_add_fd(&boot, "seccomp", filter) < 0)
		return err_set(e, ENOMEM, "out of memory");
	pid = oci_container_exec(&rq, ret_pidfd, ret_status, e);
	if (pid < 0)
		return pid;
	r = socket_send_pidfd(rt->cwd, a->pidfd_socket, *ret_pidfd, e);
	if (r == 0)
		r = pid_file_write(rt->cwd, a->pid_file, pid, e);
	if (r < 0)
		oci_container_end(*ret_pidfd);
	return r;
}

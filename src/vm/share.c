/* share.c - bind mounts and volumes of a VM: one virtiofsd for each
 *
 * How it works: a copy of the source's mount is made from the descriptor that the engine opened, read-only if it was
 * asked for, and put over /tmp in a mount namespace of the server's own; that is the directory it serves, out of a
 * sandbox that it then builds itself (its own pid, net and mount namespaces, pivot_root, seccomp, few
 * capabilities).  So a guest that misbehaves, or a virtiofsd that it took over, cannot write to a read-only
 * source.  A file is put into an empty read-only tmpfs: the guest sees nothing beside it.
 *
 * The connection is made here and both ends are handed over; its socket's name lives for a moment in the run
 * directory, which only root can enter.
 */
#include "vm/share.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "instance/guest.h"
#include "sys/mount.h"
#include "sys/ns.h"
#include "vm/driver.h"
#include "vm/vm_int.h"

#define SERVED	     "/tmp" /* a directory that every system has */
#define SERVER_FD    3
#define SERVER_BYTES (UINT64_C(32) << 20)

enum share_flags { SHARE_RO = 1, SHARE_FILE = 2, SHARE_SHALLOW = 4 };

/* --- in the server's process, before exec */

struct scene {
	const struct machine *machine;
	int source;
	uint64_t flags; /* enum share_flags */
};

/* Every file that the guest knows is a descriptor of the server. */
static int raise_fd_limit(void)
{
	struct rlimit rl;

	if (getrlimit(RLIMIT_NOFILE, &rl) < 0)
		return -errno;
	rl.rlim_cur = rl.rlim_max;
	return setrlimit(RLIMIT_NOFILE, &rl) < 0 ? -errno : 0;
}

static int open_place(const char *path)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

static int attach_at(int tree, const char *path)
{
	autoclose int place = open_place(path);

	return place < 0 ? place : mount_attach(tree, place);
}

static int serve_file(int tree)
{
	autoclose int box = mount_new("tmpfs", "size=4k,mode=755", 0), file = -1;
	int r = box < 0 ? box : attach_at(box, SERVED);

	if (r < 0)
		return r;
	file = open(SERVED "/" GUEST_SHARED_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	if (file < 0)
		return -errno;
	close(take_fd(&file)); /* open for writing, it would keep the box writable */
	r = attach_at(tree, SERVED "/" GUEST_SHARED_FILE);
	return r < 0 ? r : mount_change(box, MOUNT_ATTR_RDONLY, 0, false);
}

static int prepare_server(void *arg, struct err *e)
{
	const struct scene *sc = arg;
	autoclose int tree = -1;
	int r = machine_enter_cgroups(sc->machine, e);

	if (r < 0)
		return r;
	tree = mount_clone(sc->source, !(sc->flags & SHARE_SHALLOW));
	r = tree < 0 ? tree : raise_fd_limit();
	if (r == 0)
		r = ns_unshare(CLONE_NEWNS);
	if (r == 0)
		r = mount_set_all(MS_PRIVATE);
	if (r == 0 && (sc->flags & SHARE_RO))
		r = mount_change(tree, MOUNT_ATTR_RDONLY, 0, true);
	if (r == 0)
		r = sc->flags & SHARE_FILE ? serve_file(tree) : attach_at(tree, SERVED);
	return r < 0 ? err_sys(e, -r, "share") : 0;
}

/* --- in the monitor */

/* A listening socket with one connection that waits to be accepted. */
static int make_connection(int run_fd, int *ret_server, int *ret_client)
{
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	autoclose int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	autoclose int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int r = 0;

	if (server < 0 || client < 0)
		return -errno;
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/share.sock", run_fd);
	if (bind(server, (struct sockaddr *)&sa, sizeof(sa)) < 0 || listen(server, 1) < 0 ||
	    connect(client, (struct sockaddr *)&sa, sizeof(sa)) < 0)
		r = -errno;
	unlinkat(run_fd, "share.sock", 0);
	if (r < 0)
		return r;
	*ret_server = take_fd(&server);
	*ret_client = take_fd(&client);
	return 0;
}

static int start_server(struct machine *m, struct share *sh, int server_fd, struct scene *sc, struct err *e)
{
	static const char source[] = "source=" SERVED;
	const char *const argv[] = {
		m->boot->facts.virtiofsd,
		"--fd=3",
		"-o",
		source,
		"-o",
		"sandbox=namespace",
		"-o",
		"cache=auto",
		"-o",
		"xattr",
		"-o",
		"modcaps=-mknod", /* no guest makes devices on the host */
		"-o",
		"log_level=err",
		"--rlimit-nofile=0",
		NULL,
	};
	const struct child_fd fds[] = { { server_fd, SERVER_FD } };
	const struct child_spec spec = {
		.name = "virtiofsd",
		.argv = (char *const *)(uintptr_t)argv,
		.fds = fds,
		.n_fds = ARRAY_LEN(fds),
		.say_fd = m->say_fd,
		.cgroup_fd = machine_cgroup_fd(m),
		.prepare = prepare_server,
		.arg = sc,
	};

	sh->server.ended = m->child_ended;
	sh->server.arg = m->arg;
	return child_start(&sh->server, &spec, m->loop, e);
}

static int apply_share(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	struct share *sh = &m->shares[m->n_shares]; /* checked below */
	struct scene sc = { .machine = m, .source = machine_named_fd(m, s->from), .flags = s->flags };
	autoclose int server_fd = -1;
	int r;

	if (sc.source < 0 || m->n_shares == ARRAY_LEN(m->shares))
		return err_set(e, EBADF, "no descriptor %s", s->from);
	r = make_connection(boot_fd(m->boot, "run"), &server_fd, &sh->vmm_fd);
	if (r < 0)
		return err_sys(e, -r, "virtiofsd socket");
	snprintf(sh->tag, sizeof(sh->tag), "%s", s->what);
	m->n_shares++;
	return start_server(m, sh, server_fd, &sc, e);
}

const struct step_op op_share = { "share", STAGE_HOST, apply_share };

/* --- plan */

bool share_is_needed(const struct mount_spec *m)
{
	return m->type == MOUNT_BIND || m->type == MOUNT_VOLUME;
}

size_t share_count(const struct instance_spec *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_mounts; i++)
		n += share_is_needed(&s->mounts[i]);
	return n;
}

int share_check(const struct instance_spec *s, const struct host_facts *h, struct err *e)
{
	size_t n = share_count(s);

	if (n && !h->virtiofsd)
		return err_set(
			e, ENOENT,
			"virtiofsd is missing, which -v needs; install the package qemu-system-common");
	if (n > MACHINE_MAX_SHARES)
		return err_set(e, E2BIG, "%zu mounts; a virtual machine can have %d", n, MACHINE_MAX_SHARES);
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct mount_spec *m = &s->mounts[i];

		if (m->propagation)
			return err_set(e, ENOTSUP, "mount of %s: %s works for containers only", m->target,
				       m->propagation);
		if (m->read_only_top)
			return err_set(e, ENOTSUP,
				       "mount of %s: bind-recursive=writable works for containers only",
				       m->target);
	}
	return 0;
}

uint64_t share_overhead_bytes(const struct instance_spec *s)
{
	return share_count(s) * SERVER_BYTES;
}

int share_plan(const struct instance_spec *s, struct plan *p)
{
	int r = 0;

	for (size_t i = 0; i < s->n_mounts && r == 0; i++) {
		const struct mount_spec *m = &s->mounts[i];
		char tag[GUEST_TAG_MAX], from[GUEST_TAG_MAX + 8];

		if (!share_is_needed(m))
			continue;
		guest_share_tag(i, tag);
		snprintf(from, sizeof(from), "fd:mount/%zu", i);
		r = plan_add(p, &op_share, tag, from, m->read_only ? "ro" : "rw",
			     (m->read_only ? SHARE_RO : 0U) | (m->is_file ? SHARE_FILE : 0U) |
				     (m->shallow ? SHARE_SHALLOW : 0U));
	}
	return r;
}

/* system.c - from a bare kernel to a system that can run something */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysinfo.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <linux/vm_sockets.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "guest/guest_int.h"
#include "sys/loopback.h"

#define CGROUP_DIR "/sys/fs/cgroup"
#define PORTS_DIR  "/sys/class/virtio-ports"
#define POLL_MS	   1 /* neither the port nor its host announces itself to a poll(2) */

static const struct {
	const char *type, *target, *options;
	unsigned long flags;
} mounts[] = {
	{ "proc", "/proc", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
	{ "devtmpfs", "/dev", "mode=755", MS_NOSUID },
	{ "tmpfs", "/run", "mode=700", MS_NOSUID | MS_NODEV },
	{ "cgroup2", CGROUP_DIR, NULL, MS_NOSUID | MS_NODEV | MS_NOEXEC },
};

static int load_module(int initramfs, const char *path, struct err *e)
{
	autoclose int fd = openat(initramfs, path, O_RDONLY | O_CLOEXEC);

	if (fd < 0 || (syscall(SYS_finit_module, fd, "", 0) < 0 && errno != EEXIST))
		return err_sys(e, errno, "module %s", path);
	unlinkat(initramfs, path, 0); /* its memory is the workload's */
	return 0;
}

int system_load_modules(int initramfs, const char *name, struct err *e)
{
	AUTO(buf_done) struct buf list = { 0 };
	AUTO(strv_done) struct strv paths = { 0 };
	int r = read_file(initramfs, name, 65536, &list);

	if (r == 0)
		r = strv_split(&paths, list.data ? list.data : "", "\n");
	if (r < 0)
		return err_sys(e, -r, "list of modules");
	for (size_t i = 0; i < paths.n && r == 0; i++)
		if (*paths.v[i])
			r = load_module(initramfs, paths.v[i], e);
	return r;
}

/* The initramfs cannot be a root that is pivoted from, as starting a container does: a small tmpfs takes its place. */
static int leave_initramfs(struct err *e)
{
	static const char *const dirs[] = { "proc", "sys", "dev", "run" };

	if (mount("tmpfs", "/run", "tmpfs", MS_NOSUID, "mode=755,size=1m") < 0 || chdir("/run") < 0)
		return err_sys(e, errno, "new root");
	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdir(dirs[i], 0755) < 0)
			return err_sys(e, errno, "new root");
	if (mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 || chdir("/") < 0)
		return err_sys(e, errno, "new root");
	return 0;
}

int system_set_up(int *ret_initramfs, struct err *e)
{
	autoclose int initramfs = open("/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	umask(022);
	r = initramfs < 0 ? err_sys(e, errno, "initramfs") : system_load_modules(initramfs, "modules", e);
	if (r == 0)
		r = leave_initramfs(e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(mounts); i++)
		if (mount(mounts[i].type, mounts[i].target, mounts[i].type, mounts[i].flags,
			  mounts[i].options) < 0)
			return err_sys(e, errno, "mount %s", mounts[i].target);
	r = loopback_up();
	if (r < 0)
		return err_sys(e, -r, "lo");
	*ret_initramfs = take_fd(&initramfs);
	return 0;
}

/* --- the port */

/* The device of the port of this name, or -ENOENT while there is none. */
static int find_port(const char *name, char ret_path[64])
{
	DIR *d = opendir(PORTS_DIR);
	struct dirent *de;
	int r = -ENOENT;

	if (!d)
		return -ENOENT;
	while (r < 0 && (de = readdir(d))) {
		AUTO(buf_done) struct buf b = { 0 };
		autofree char *path = str_printf("%s/name", de->d_name);

		if (!path || de->d_name[0] == '.' || read_file(dirfd(d), path, 4096, &b) < 0 || !b.data)
			continue;
		b.data[strcspn(b.data, "\n")] = '\0';
		if (!strcmp(b.data, name))
			r = snprintf(ret_path, 64, "/dev/%.48s", de->d_name) < 0 ? -EINVAL : 0;
	}
	closedir(d);
	return r;
}

/* Until the host's end is known to the port, reading says "end of file". */
static bool is_connected(int fd)
{
	struct pollfd p = { .fd = fd, .events = POLLIN | POLLOUT };

	return poll(&p, 1, 0) > 0 && !(p.revents & (POLLHUP | POLLERR));
}

static int open_port(const char *name, int timeout_ms, struct err *e)
{
	int64_t end = clock_mono_ns() + timeout_ms * (NS_PER_S / 1000);
	char path[64];
	int fd = -1;

	for (; clock_mono_ns() < end; poll(NULL, 0, POLL_MS)) {
		if (fd < 0 && find_port(name, path) == 0)
			fd = open(path, O_RDWR | O_CLOEXEC | O_NONBLOCK);
		if (fd >= 0 && is_connected(fd))
			return fd;
	}
	if (fd >= 0)
		close(fd);
	return err_set(e, ETIMEDOUT, "the port %s did not appear", name);
}

static int open_vsock(uint32_t port, struct err *e)
{
	const struct sockaddr_vm host = { .svm_family = AF_VSOCK,
					  .svm_cid = VMADDR_CID_HOST,
					  .svm_port = port };
	autoclose int fd = socket(AF_VSOCK, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd < 0 || connect(fd, (const struct sockaddr *)&host, sizeof(host)) < 0)
		return err_sys(e, errno, "vsock port %u of the host", port);
	return fd_set_nonblock(fd, true) < 0 ? err_sys(e, errno, "vsock") : take_fd(&fd);
}

int system_open_agent(int initramfs, int timeout_ms, struct err *e)
{
	const char *way = getenv(GUEST_AGENT_ENV);
	bool vsock = way && !strcmp(way, "vsock");
	int r = system_load_modules(initramfs, vsock ? "modules.vsock" : "modules.port", e);

	if (r < 0)
		return r;
	return vsock ? open_vsock(GUEST_VSOCK_PORT, e) : open_port(GUEST_PORT, timeout_ms, e);
}

int system_reopen_agent(struct err *e)
{
	const char *way = getenv(GUEST_AGENT_ENV);

	if (!way || strcmp(way, "vsock") != 0)
		return err_set(e, ENOTSUP, "the host has hung up");
	return open_vsock(GUEST_VSOCK_PORT, e);
}

/* --- facts */

int system_facts(struct host_facts *ret, struct err *e)
{
	static const char *const controllers[] = { "unified", "memory", "cpu", "pids" };
	struct host_facts h = { .cgroup_mode = CGROUP_V2, .in_guest = true };
	struct utsname u;
	struct sysinfo si;
	int r = 0;

	if (uname(&u) < 0 || sysinfo(&si) < 0)
		return err_sys(e, errno, "facts");
	for (size_t i = 0; i < ARRAY_LEN(controllers) && r == 0; i++)
		r = strv_addf(&h.cgroups, "%s=" CGROUP_DIR, controllers[i]);
	h.cgroup2 = strdup(CGROUP_DIR);
	h.cpus = (int)sysconf(_SC_NPROCESSORS_ONLN);
	h.ram_bytes = (uint64_t)si.totalram * si.mem_unit;
	h.kernel_release = strdup(u.release);
	h.arch = strdup("amd64");
	if (r < 0 || !h.kernel_release || !h.arch || !h.cgroup2) {
		json_done(&host_facts_table, &h);
		return err_set(e, ENOMEM, "out of memory");
	}
	*ret = h;
	return 0;
}

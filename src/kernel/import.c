/* import.c - a kernel into the store: a vmlinuz with its modules, or Debian's package, which is not installed
 *
 * All is made in ROOT/kernels/.new under the lock of the directory and appears by one rename.  Of the modules only
 * those are kept that a guest loads.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/kernel_int.h"
#include "kernel/modules.h"
#include "sys/run.h"

#define STAGING	 ".new"
#define REPLACED ".old"
#define TOOL_MS	 120000

int kernel_lock_dir(const char *root, struct err *e)
{
	autoclose int rootfd = mkdir_open(AT_FDCWD, root, 0700);
	int fd = rootfd < 0 ? rootfd : mkdir_open(rootfd, "kernels", 0700);

	if (fd < 0)
		return err_sys(e, -fd, "%s/kernels", root);
	if (flock(fd, LOCK_EX) < 0) {
		int no = errno;

		close(fd);
		return err_sys(e, no, "%s/kernels", root);
	}
	return fd;
}

static int run_tool(const char *const argv[], const char *package, struct err *e)
{
	AUTO(buf_done) struct buf said = { 0 };
	int status, r = run_program(argv, -1, TOOL_MS, &said, &status);

	if (r == -ENOENT)
		return err_set(e, ENOENT, "%s is missing; install the package %s", argv[0], package);
	if (r < 0)
		return err_sys(e, -r, "%s", argv[0]);
	if (status)
		return err_set(e, EINVAL, "%s: %.300s", argv[0],
			       said.data && *said.data ? said.data : "failed");
	return 0;
}

/* --- where the parts are */

struct source {
	int image; /* open vmlinuz */
	int modules; /* open directory with modules.dep */
};

static void source_done(struct source *s)
{
	if (s->image >= 0)
		close(s->image);
	if (s->modules >= 0)
		close(s->modules);
}

static int open_modules(const char *path, struct err *e)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? err_sys(e, errno, "modules directory %s", path) : fd;
}

static int open_loose(const char *path, const char *modules, struct source *s, struct err *e)
{
	autofree char *host = NULL;
	struct bzimage head;
	int r;

	s->image = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	if (s->image < 0)
		return err_sys(e, errno, "%s", path);
	r = kernel_head_read(s->image, &head, e);
	if (r < 0)
		return err_wrap(e, r, "%s", path);
	host = str_printf("/lib/modules/%s", head.release);
	if (!host)
		return err_set(e, ENOMEM, "out of memory");
	s->modules = open_modules(modules ? modules : host, e);
	return s->modules < 0 ? s->modules : 0;
}

/* The only "vmlinuz-*" in the directory, opened. */
static int open_only_vmlinuz(int boot, struct err *e)
{
	DIR *d = fdopendir(fcntl(boot, F_DUPFD_CLOEXEC, 3));
	struct dirent *de;
	int fd = -1, n = 0;

	while (d && (de = readdir(d))) {
		if (strncmp(de->d_name, "vmlinuz-", 8) || ++n > 1)
			continue;
		fd = openat(boot, de->d_name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	}
	if (d)
		closedir(d);
	if (n == 1 && fd >= 0)
		return fd;
	if (fd >= 0)
		close(fd);
	return err_set(
		e, EINVAL,
		"the package holds no kernel image (it must be a linux-image package with boot/vmlinuz-*)");
}

/* The package's modules; packages come without modules.dep, which their installation would make. */
static int open_deb_modules(int tree, const char *tree_path, const char *release, struct err *e)
{
	const char *const depmod[] = { "depmod", "-b", tree_path, release, NULL };
	autofree char *path = str_printf("lib/modules/%s", release);
	autoclose int fd = -1;
	int r = 0;

	/* packages for a merged /usr have usr/lib only; depmod looks below lib */
	if (symlinkat("usr/lib", tree, "lib") < 0 && errno != EEXIST)
		return err_sys(e, errno, "lib");
	fd = path ? open_in_root(tree, path, O_RDONLY | O_DIRECTORY, 0) : -ENOMEM;
	if (fd < 0)
		return err_set(e, EINVAL, "the package holds no modules for kernel %s", release);
	if (faccessat(fd, "modules.dep", R_OK, 0) < 0)
		r = run_tool(depmod, "kmod", e);
	return r < 0 ? r : take_fd(&fd);
}

static int open_deb(const char *path, const char *tree_path, struct source *s, struct err *e)
{
	const char *const unpack[] = { "dpkg-deb", "-x", path, tree_path, NULL };
	autoclose int tree = -1, boot = -1;
	struct bzimage head;
	int r = run_tool(unpack, "dpkg", e);

	if (r < 0)
		return r;
	tree = open(tree_path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	boot = tree < 0 ? -1 : open_in_root(tree, "boot", O_RDONLY | O_DIRECTORY, 0);
	if (boot < 0)
		return err_set(e, EINVAL, "%s: not a linux-image package", path);
	s->image = open_only_vmlinuz(boot, e);
	r = s->image < 0 ? s->image : kernel_head_read(s->image, &head, e);
	if (r == 0)
		r = s->modules = open_deb_modules(tree, tree_path, head.release, e);
	return r < 0 ? err_wrap(e, r, "%s", path) : 0;
}

static int is_deb(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char magic[8] = "";

	return fd >= 0 && read(fd, magic, 8) == 8 && !memcmp(magic, "!<arch>\n", 8);
}

/* --- into the store */

static int copy_to(int from, int dirfd, const char *path, struct err *e)
{
	autoclose int to = openat(dirfd, path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
	int r;

	if (to < 0)
		return err_sys(e, errno, "%s", path);
	r = lseek(from, 0, SEEK_SET) < 0 ? -errno : copy_fd(from, to);
	if (r == 0 && fsync(to) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "%s", path) : 0;
}

static int copy_below(int from, int to, const char *path, struct err *e)
{
	autoclose int src = open_in_root(from, path, O_RDONLY | O_NONBLOCK, 0), parent = -1;
	autofree char *dir = strdup(path);
	char *slash = dir ? strrchr(dir, '/') : NULL;

	if (src < 0)
		return err_sys(e, -src, "module %s", path);
	if (slash) {
		*slash = '\0';
		parent = mkdir_open(to, dir, 0755);
		if (parent < 0)
			return err_sys(e, -parent, "%s", dir);
	}
	return copy_to(src, to, path, e);
}

static int copy_modules(int from, int to, struct err *e)
{
	AUTO(strv_done) struct strv list = { 0 };
	int r = 0;

	for (const struct module_list *l = modules_lists; l->name && r == 0; l++)
		r = modules_resolve(from, l->wanted, &list, e);
	if (r == 0)
		r = copy_below(from, to, "modules.dep", e);
	if (r == 0)
		r = copy_below(from, to, "modules.builtin", e);
	for (size_t i = 0; i < list.n && r == 0; i++)
		r = copy_below(from, to, list.v[i], e);
	return r;
}

static int stage(int staging, const struct source *s, const char *const *notes, struct err *e)
{
	autoclose int kernel = mkdir_open(staging, "kernel", 0755);
	autoclose int modules = kernel < 0 ? kernel : mkdir_open(kernel, "modules", 0755);
	int r = modules < 0 ? err_sys(e, -modules, "kernel store") : copy_to(s->image, kernel, "vmlinuz", e);

	for (; r == 0 && notes && *notes; notes++)
		r = copy_below(s->modules, kernel, *notes, e);
	return r < 0 ? r : copy_modules(s->modules, modules, e);
}

/* The staged kernel becomes kernels/RELEASE; one that was there makes room. */
static int publish(int kernels, const char *release, struct err *e)
{
	if (renameat(kernels, release, kernels, REPLACED) < 0 && errno != ENOENT)
		return err_sys(e, errno, "kernel %s", release);
	if (renameat(kernels, STAGING "/kernel", kernels, release) < 0)
		return err_sys(e, errno, "kernel %s", release);
	sync_dir(kernels);
	return 0;
}

static int import_locked(int kernels, const char *root, const struct kernel_import *im, struct bzimage *ret,
			 struct err *e)
{
	AUTO(source_done) struct source s = { -1, -1 };
	autofree char *tree = str_printf("%s/kernels/" STAGING "/deb", root);
	autoclose int staging = mkdir_open(kernels, STAGING "/deb", 0700);
	int r;

	if (!tree || staging < 0)
		return err_sys(e, staging < 0 ? -staging : ENOMEM, "kernel store");
	close(staging);
	staging = mkdir_open(kernels, STAGING, 0700);
	r = is_deb(im->path) ? open_deb(im->path, tree, &s, e) : open_loose(im->path, im->modules, &s, e);
	if (r == 0)
		r = kernel_head_read(s.image, ret, e);
	if (r == 0)
		r = stage(staging, &s, im->notes, e);
	return r < 0 ? r : publish(kernels, ret->release, e);
}

int kernel_import_noted(const char *root, const struct kernel_import *im, char **ret_version, struct err *e)
{
	autoclose int kernels = kernel_lock_dir(root, e);
	struct bzimage head;
	char *version;
	int r;

	if (kernels < 0)
		return kernels;
	/* what an import that was killed left behind */
	remove_tree(kernels, STAGING);
	remove_tree(kernels, REPLACED);
	kernel_build_sweep(kernels);
	r = import_locked(kernels, root, im, &head, e);
	remove_tree(kernels, STAGING);
	remove_tree(kernels, REPLACED);
	if (r < 0)
		return r;
	version = strdup(head.release);
	if (!version)
		return err_set(e, ENOMEM, "out of memory");
	*ret_version = version;
	return 0;
}

int kernel_import(const char *root, const char *path, const char *modules, char **ret_version, struct err *e)
{
	return kernel_import_noted(root, &(struct kernel_import){ path, modules, NULL }, ret_version, e);
}

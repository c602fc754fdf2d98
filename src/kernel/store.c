/* store.c - finding and removing guest kernels: ROOT/kernels/VERSION/{vmlinuz,modules} and the host's /boot */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/kernel_int.h"

#define BOOT_DIR    "/boot"
#define MODULES_DIR "/lib/modules"

struct list {
	struct kernel *v;
	size_t n;
};

void kernel_done(struct kernel *k)
{
	free(k->version);
	free(k->image);
	free(k->modules);
	*k = (struct kernel){ 0 };
}

void kernels_free(struct kernel *k, size_t n)
{
	for (size_t i = 0; i < n; i++)
		kernel_done(&k[i]);
	free(k);
}

int kernel_head_read(int fd, struct bzimage *ret, struct err *e)
{
	autofree char *head = malloc(BZIMAGE_HEAD_BYTES);
	ssize_t n = head ? pread(fd, head, BZIMAGE_HEAD_BYTES, 0) : -1;

	if (n < 0)
		return err_sys(e, errno, "kernel image");
	return bzimage_parse(head, (size_t)n, ret, e);
}

static int open_image(const char *path, struct err *e)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode))
		return fd;
	close(fd);
	return err_set(e, EINVAL, "%s: not a regular file", path);
}

int kernel_image_open(const struct kernel *k, struct err *e)
{
	return open_image(k->image, e);
}

/* Adds the kernel of these paths (taken) if it is one and its modules are there. */
static int add_kernel(struct list *l, char *image, char *modules, int in_store)
{
	struct kernel k = { .image = image, .modules = modules, .in_store = in_store };
	autoclose int fd = image && modules ? open_image(image, NULL) : -1;
	struct bzimage head;
	struct stat st;
	struct kernel *v;

	if (fd < 0 || kernel_head_read(fd, &head, NULL) < 0 || fstat(fd, &st) < 0 ||
	    access(modules, R_OK | X_OK) < 0) {
		kernel_done(&k);
		return image && modules ? 0 : -ENOMEM;
	}
	k.version = strdup(head.release);
	k.size_bytes = (uint64_t)st.st_size;
	v = k.version ? reallocarray(l->v, l->n + 1, sizeof(*v)) : NULL;
	if (!v) {
		kernel_done(&k);
		return -ENOMEM;
	}
	l->v = v;
	l->v[l->n++] = k;
	return 0;
}

static int newest_first(const void *a, const void *b)
{
	const struct kernel *x = a, *y = b;

	return x->in_store != y->in_store ? y->in_store - x->in_store : strverscmp(y->version, x->version);
}

/* Adds what `add` makes of every entry of a directory; no directory is no kernel. */
static int scan(struct list *l, const char *dir, int (*add)(struct list *, const char *dir, const char *name))
{
	DIR *d = opendir(dir);
	struct dirent *de;
	int r = 0;

	if (!d)
		return errno == ENOENT || errno == EACCES ? 0 : -errno;
	while (r == 0 && (de = readdir(d)))
		if (de->d_name[0] != '.')
			r = add(l, dir, de->d_name);
	closedir(d);
	return r;
}

static int add_of_store(struct list *l, const char *dir, const char *name)
{
	return add_kernel(l, str_printf("%s/%s/vmlinuz", dir, name), str_printf("%s/%s/modules", dir, name),
			  1);
}

static int add_of_host(struct list *l, const char *dir, const char *name)
{
	if (strncmp(name, "vmlinuz-", 8))
		return 0;
	return add_kernel(l, str_printf("%s/%s", dir, name), str_printf(MODULES_DIR "/%s", name + 8), 0);
}

int kernel_list(const char *root, struct kernel **ret, size_t *ret_n, struct err *e)
{
	autofree char *kernels = str_printf("%s/kernels", root);
	struct list l = { 0 };
	int r = kernels ? scan(&l, kernels, add_of_store) : -ENOMEM;

	if (r == 0)
		r = scan(&l, BOOT_DIR, add_of_host);
	if (r < 0) {
		kernels_free(l.v, l.n);
		return err_sys(e, -r, "list of kernels");
	}
	if (l.n)
		qsort(l.v, l.n, sizeof(*l.v), newest_first);
	*ret = l.v;
	*ret_n = l.n;
	return 0;
}

int kernel_find(const char *root, const char *version, struct kernel *ret, struct err *e)
{
	struct kernel *v;
	size_t n, i = 0;
	int r = kernel_list(root, &v, &n, e);

	if (r < 0)
		return r;
	while (i < n && version && strcmp(v[i].version, version))
		i++;
	if (i < n) {
		*ret = v[i];
		v[i] = (struct kernel){ 0 };
	}
	kernels_free(v, n);
	if (i < n)
		return 0;
	if (version)
		return err_set(e, ENOENT, "no such kernel: %s; see: ketch kernel ls", version);
	return err_set(
		e, ENOENT,
		"no kernel for virtual machines; install one with: apt-get install linux-image-cloud-amd64, "
		"or import one with: ketch kernel import FILE.deb");
}

int kernel_remove(const char *root, const char *version, struct err *e)
{
	struct kernel k = { 0 };
	autoclose int kernels = -1;
	int r = kernel_find(root, version, &k, e);

	if (r == 0 && !k.in_store)
		r = err_set(e, EPERM, "kernel %s belongs to the host (%s); only imported ones can be removed",
			    version, k.image);
	kernel_done(&k);
	if (r < 0)
		return r;
	kernels = kernel_lock_dir(root, e);
	if (kernels < 0)
		return kernels;
	kernel_build_sweep(kernels);
	r = remove_tree(kernels, version);
	return r < 0 ? err_sys(e, -r, "kernel %s", version) : 0;
}

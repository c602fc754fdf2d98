/* modules.c - which module files a guest needs, and in which order they load: modules.dep(5) */
#include "kernel/modules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"

#define MAX_DEP (4 * 1024 * 1024)

static const char *const boot[] = { "virtio_mmio", "virtio_blk", "virtio_rng", "erofs",
				    "ext4",	   "overlay",	 NULL };
static const char *const port[] = { "virtio_console", NULL };
static const char *const vsock[] = { "vmw_vsock_virtio_transport", "pvpanic_mmio", NULL };
static const char *const share[] = { "virtiofs", NULL };
static const char *const net[] = { "virtio_net", NULL };

const struct module_list modules_lists[] = {
	{ "modules", boot },	    { "modules.port", port }, { "modules.vsock", vsock },
	{ "modules.share", share }, { "modules.net", net },   { NULL, NULL },
};

/* Does the path "kernel/.../virtio-rng.ko[.xz]" hold the module virtio_rng?  '-' and '_' are the same. */
static bool is_module(const char *path, size_t n, const char *name)
{
	const char *base = memrchr(path, '/', n);
	size_t len = strlen(name);

	base = base ? base + 1 : path;
	n -= (size_t)(base - path);
	if (n < len + 3 || memcmp(base + len, ".ko", 3))
		return false;
	for (size_t i = 0; i < len; i++)
		if ((base[i] == '-' ? '_' : base[i]) != (name[i] == '-' ? '_' : name[i]))
			return false;
	return n == len + 3 || base[len + 3] == '.';
}

/* The line of text that begins with the module's path; *ret_path_len is the length of that path. */
static const char *find_line(const char *text, const char *name, size_t *ret_path_len)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t n = strcspn(line, ":\n");

		if (is_module(line, n, name)) {
			*ret_path_len = n;
			return line;
		}
	}
	return NULL;
}

/* Module files are named by a list that came with them: nothing that leads out of the directory is followed. */
static bool is_safe_path(const char *p)
{
	return *p && *p != '/' && !strstr(p, "..");
}

static int add_once(struct strv *ret, const char *path)
{
	if (!is_safe_path(path))
		return -EINVAL;
	return strv_has(ret, path) ? 0 : strv_add(ret, path);
}

/* "PATH: DEP DEP..." lists every dependency, direct and not, such that the last loads first. */
static int add_line(struct strv *ret, const char *line, size_t path_len)
{
	AUTO(strv_done) struct strv deps = { 0 };
	autofree char *path = strndup(line, path_len), *rest = NULL;
	int r = 0;

	line += path_len + (line[path_len] == ':');
	rest = strndup(line, strcspn(line, "\n"));
	if (!path || !rest || strv_split(&deps, rest, " ") < 0)
		return -ENOMEM;
	for (size_t i = deps.n; i-- > 0 && r == 0;)
		if (*deps.v[i])
			r = add_once(ret, deps.v[i]);
	return r < 0 ? r : add_once(ret, path);
}

static int read_list(int dirfd, const char *name, struct buf *b, struct err *e)
{
	int r = read_file(dirfd, name, MAX_DEP, b);

	if (r == 0 && strlen(b->data) != b->len)
		r = -EINVAL;
	return r < 0 ? err_sys(e, -r, "%s of the kernel", name) : 0;
}

int modules_resolve(int dirfd, const char *const *wanted, struct strv *ret, struct err *e)
{
	AUTO(buf_done) struct buf dep = { 0 }, builtin = { 0 };
	int r = read_list(dirfd, "modules.dep", &dep, e);

	if (r == 0)
		r = read_list(dirfd, "modules.builtin", &builtin, e);
	for (; r == 0 && *wanted; wanted++) {
		size_t n;
		const char *line = find_line(builtin.data, *wanted, &n);

		if (line)
			continue;
		line = find_line(dep.data, *wanted, &n);
		if (!line)
			return err_set(e, ENOENT, "the kernel has no module %s, which a guest needs",
				       *wanted);
		r = add_line(ret, line, n);
		if (r < 0)
			return err_sys(e, -r, "modules.dep, module %s", *wanted);
	}
	return r;
}

/* initramfs.c - the initramfs of a guest: ketch-guest as /init and the modules that it loads
 *
 * Made once for each kernel and ketch-guest (kernel/cache.h).  Not compressed: to unpack it costs the guest more than
 * to read it.
 *
 *	/init		ketch-guest
 *	/modules	a line for each module file, in the order to load them
 *	/modules.port, /modules.vsock	those that the agent's stream needs, under the driver qemu or kvm
 *	/modules.share	those that only a guest with shares loads: 40 ms in software emulation
 *	/modules.net	those that only a guest on networks loads
 *	/m/NAME.ko	the modules
 */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "base/self.h"
#include "kernel/cache.h"
#include "kernel/cpio.h"
#include "kernel/initramfs.h"
#include "kernel/kernel_int.h"
#include "kernel/modules.h"

#define MAX_GUEST  (32 * 1024 * 1024)
#define MAX_MODULE (16 * 1024 * 1024)
#define LAYOUT	   "ketch-initramfs-4" /* part of the hash: change it when the layout above changes */

struct parts {
	struct bzimage head;
	struct buf guest;
	int modules;
};

static void parts_done(struct parts *p)
{
	buf_done(&p->guest);
	if (p->modules >= 0)
		close(p->modules);
}

static int read_parts(const struct kernel *k, const char *guest, struct parts *p, struct err *e)
{
	autoclose int image = kernel_image_open(k, e);
	int r;

	if (image < 0)
		return image;
	r = kernel_head_read(image, &p->head, e);
	if (r < 0)
		return r;
	r = read_file(AT_FDCWD, guest, MAX_GUEST, &p->guest);
	if (r < 0)
		return err_sys(e, -r, "%s", guest);
	p->modules = open(k->modules, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return p->modules < 0 ? err_sys(e, errno, "%s", k->modules) : 0;
}

static uint64_t hash_parts(const struct parts *p)
{
	uint64_t h = cache_hash(CACHE_HASH, LAYOUT, sizeof(LAYOUT));
	struct stat st;

	h = cache_hash(h, p->head.build, strlen(p->head.build));
	h = cache_hash(h, p->guest.data, p->guest.len);
	for (const struct module_list *l = modules_lists; l->name; l++)
		for (const char *const *m = l->wanted; *m; m++)
			h = cache_hash(h, *m, strlen(*m) + 1);
	if (fstatat(p->modules, "modules.dep", &st, 0) == 0)
		h = cache_hash(h, &st.st_mtim, sizeof(st.st_mtim));
	return h;
}

/* The module without its appended signature (module_signature.h: data, signature, u8[8], be32 length, magic).  Guests
 * do not enforce signatures, and to verify them costs 10 ms a module in software emulation. */
static size_t unsigned_size(const char *data, size_t n)
{
	static const char magic[] = "~Module signature appended~\n";
	const size_t magic_len = sizeof(magic) - 1;
	uint32_t sig_len;

	if (n < magic_len + 12 || memcmp(data + n - magic_len, magic, magic_len))
		return n;
	memcpy(&sig_len, data + n - magic_len - 4, 4);
	sig_len = be32toh(sig_len);
	return sig_len < n - magic_len - 12 ? n - magic_len - 12 - sig_len : n;
}

static int add_module(struct cpio *c, struct buf *list, int dirfd, const char *path, struct err *e)
{
	AUTO(buf_done) struct buf data = { 0 };
	autoclose int fd = open_in_root(dirfd, path, O_RDONLY | O_NONBLOCK, 0);
	const char *slash = strrchr(path, '/');
	autofree char *name = str_printf("m/%s", slash ? slash + 1 : path);
	int r = fd < 0 ? fd : read_to_end(fd, MAX_MODULE, &data);

	if (r < 0 || !name)
		return err_sys(e, r < 0 ? -r : ENOMEM, "module %s", path);
	cpio_add_file(c, name, 0600, data.data, unsigned_size(data.data, data.len));
	buf_addf(list, "%s\n", name);
	return 0;
}

/* Adds one list and its modules; *have are those of the lists before. */
static int add_list(struct cpio *c, const struct parts *p, const struct module_list *l, struct strv *have,
		    struct err *e)
{
	AUTO(buf_done) struct buf list = { 0 };
	size_t first = have->n;
	int r = modules_resolve(p->modules, l->wanted, have, e);

	for (size_t i = first; i < have->n && r == 0; i++)
		r = add_module(c, &list, p->modules, have->v[i], e);
	if (r < 0)
		return r;
	cpio_add_file(c, l->name, 0600, list.data, list.len);
	return buf_ok(&list) ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int fill(struct cpio *c, const struct parts *p, struct err *e)
{
	static const char *const dirs[] = { "dev", "proc", "sys", "run", "m" };
	AUTO(strv_done) struct strv modules = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		cpio_add_dir(c, dirs[i], 0755);
	/* the kernel opens it for init before anything is mounted */
	cpio_add_char_device(c, "dev/console", 0600, 5, 1);
	for (const struct module_list *l = modules_lists; l->name && r == 0; l++)
		r = add_list(c, p, l, &modules, e);
	if (r < 0)
		return r;
	cpio_add_file(c, "init", 0700, p->guest.data, p->guest.len);
	cpio_finish(c);
	return buf_ok(&c->out) ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int make(void *arg, struct buf *ret, struct err *e)
{
	struct parts *p = arg;
	struct cpio c = { 0 };
	int r = fill(&c, p, e);

	*ret = c.out;
	return r < 0 ? err_wrap(e, r, "initramfs of kernel %s", p->head.release) : 0;
}

int initramfs_open(const char *root, const struct kernel *k, const char *guest, struct err *e)
{
	AUTO(parts_done) struct parts p = { .modules = -1 };
	int r = read_parts(k, guest, &p, e);

	if (r < 0)
		return r;
	return cache_open(root, &(struct cache_key){ p.head.release, "cpio", hash_parts(&p) }, make, &p, e);
}

int kernel_initramfs_open(const char *root, const struct kernel *k, struct err *e)
{
	autofree char *guest = self_program("ketch-guest");

	if (!guest)
		return err_set(e, ENOENT, "the program ketch-guest cannot be found");
	return initramfs_open(root, k, guest, e);
}

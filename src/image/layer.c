/* layer.c - the layers of a store: which form they have here, and the directories that they are seen as
 *
 * A layer is an EROFS file, mounted anew for whoever opens it, by a mount that is attached nowhere: it goes with its last
 * user.  Where the host cannot do that, new layers are directories; both forms live side by side in one store.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/store_int.h"
#include "sys/loop_device.h"
#include "sys/mount.h"
#include "sys/mount_stack.h"
#include "unpack/erofs_format.h"

#define PROBE	   "probe"
#define PROBE_ROOT 2048 /* where the one inode of the probe lies */

static int mount_source(const char *source)
{
	return mount_make(&(const struct fs_request){ .type = "erofs", .source = source, .super = MS_RDONLY },
			  MOUNT_ATTR_RDONLY);
}

/* By the file itself (Linux 6.12; not all file systems can), or by a loop device. */
static int mount_erofs(int fd)
{
	char path[LOOP_PATH_BYTES];
	autoclose int loop = -1;
	int mnt;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	mnt = mount_source(path);
	if (mnt >= 0 || mnt == -ENODEV || mnt == -EPERM)
		return mnt;
	loop = loop_device_open(fd, path);
	return loop < 0 ? mnt : mount_source(path);
}

/* --- which form */

/* The smallest EROFS: an empty root, all in one block. */
static void print_probe(char block[EROFS_BLOCK])
{
	static const char names[3] = { '.', '.', '.' }; /* "." and "..", one behind the other */
	const struct erofs_super s = { .magic = EROFS_MAGIC,
				       .block_bits = EROFS_BLOCK_BITS,
				       .root_nid = PROBE_ROOT / EROFS_SLOT,
				       .inodes = 1,
				       .blocks = 1 };
	const struct erofs_dirent dots[2] = {
		{ .nid = s.root_nid, .name_offset = sizeof(dots), .type = EROFS_DIR },
		{ .nid = s.root_nid, .name_offset = sizeof(dots) + 1, .type = EROFS_DIR },
	};
	const struct erofs_inode root = { .format = EROFS_FORMAT(EROFS_INLINE),
					  .mode = S_IFDIR | 0755,
					  .size = sizeof(dots) + sizeof(names),
					  .nlink = 2 };

	memset(block, 0, EROFS_BLOCK);
	memcpy(block + EROFS_SUPER_OFFSET, &s, sizeof(s));
	memcpy(block + PROBE_ROOT, &root, sizeof(root));
	memcpy(block + PROBE_ROOT + sizeof(root), dots, sizeof(dots));
	memcpy(block + PROBE_ROOT + sizeof(root) + sizeof(dots), names, sizeof(names));
}

bool store_takes_erofs(const struct stage *st)
{
	autoclose int file = openat(st->fd, PROBE, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600), mnt = -1;
	char block[EROFS_BLOCK];

	if (file < 0)
		return false;
	unlinkat(st->fd, PROBE, 0);
	print_probe(block);
	if (pwrite_full(file, block, sizeof(block), 0) < 0)
		return false;
	mnt = mount_erofs(file);
	return mnt >= 0 && mount_stack_try((const int[]){ mnt, st->fd }) == 0;
}

/* --- opening */

/* As a directory and as a file. */
static int layer_names(const char *diff_id, char hex[DIGEST_HEX], char name[LAYER_NAME_BYTES], struct err *e)
{
	struct digest d;

	if (digest_parse(diff_id, &d) < 0)
		return err_set(e, EINVAL, "\"%.80s\" is no layer", diff_id);
	digest_hex(&d, hex);
	snprintf(name, LAYER_NAME_BYTES, "%s" LAYER_ENDING, hex);
	return 0;
}

int store_layer_remove_file(struct image_store *s, const char *diff_id, struct err *e)
{
	char name[LAYER_NAME_BYTES], hex[DIGEST_HEX];
	int r = layer_names(diff_id, hex, name, e);

	if (r == 0 && unlinkat(s->layers_fd, name, 0) < 0 && errno != ENOENT)
		r = err_sys(e, errno, "layer %.19s", diff_id);
	return r;
}

int store_layer_file(struct image_store *s, const char *diff_id, struct err *e)
{
	char name[LAYER_NAME_BYTES], hex[DIGEST_HEX];
	int fd, r = layer_names(diff_id, hex, name, e);

	if (r < 0)
		return r;
	fd = openat(s->layers_fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0 && errno == ENOENT)
		fd = openat(s->layers_fd, hex, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? err_sys(e, errno, "layer %.19s", diff_id) : fd;
}

bool store_layer_is_here(struct image_store *s, const char *diff_id)
{
	autoclose int fd = store_layer_file(s, diff_id, NULL);

	return fd >= 0;
}

int image_layer_open(struct image_store *s, const char *diff_id, struct err *e)
{
	autoclose int fd = store_layer_file(s, diff_id, e);
	struct stat st;
	int mnt;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "layer %.19s", diff_id);
	if (S_ISDIR(st.st_mode))
		return take_fd(&fd);
	mnt = mount_erofs(fd);
	return mnt < 0 ? err_sys(e, -mnt, "mount layer %.19s", diff_id) : mnt;
}

int image_layer_file_open(struct image_store *s, const char *diff_id, struct err *e)
{
	autoclose int fd = store_layer_file(s, diff_id, e);
	struct stat st;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "layer %.19s", diff_id);
	return S_ISREG(st.st_mode) ? take_fd(&fd) : err_set(e, EISDIR, "layer %.19s is a directory", diff_id);
}

bool image_layers_are_files(struct image_store *s, const struct strv *diff_ids)
{
	bool yes = true;

	for (size_t i = 0; yes && i < diff_ids->n; i++) {
		autoclose int fd = image_layer_file_open(s, diff_ids->v[i], NULL);

		yes = fd >= 0;
	}
	return yes;
}

/* tree.c - one layer's tree as it is made: what both forms have in common */
#include "unpack/tree.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "packages/parsers.h"
#include "unpack/limits.h"
#include "unpack/tree_int.h"

struct tree *tree_close(struct tree *t)
{
	if (t) {
		buf_done(&t->package_files);
		t->ops->close(t);
	}
	return NULL;
}

uint64_t tree_bytes(const struct tree *t)
{
	return t->bytes;
}

const uint8_t *tree_verity(const struct tree *t)
{
	return t->ops->verity(t);
}

bool tree_keeps_xattr(const char *name)
{
	static const char *const dropped[] = { "trusted.overlay.", "user.overlay.", "security.selinux",
					       "system.nfs4_acl",  "security.evm",  "security.apparmor" };

	for (size_t i = 0; i < ARRAY_LEN(dropped); i++)
		if (!strncmp(name, dropped[i], strlen(dropped[i])))
			return false;
	return true;
}

static int count_entry(struct tree *t, uint64_t bytes, struct err *e)
{
	if (++t->entries > LAYER_ENTRIES_MAX)
		return err_set(e, E2BIG, "the layer has more than %d entries", LAYER_ENTRIES_MAX);
	if (__builtin_add_overflow(t->bytes, bytes, &t->bytes) || t->bytes > LAYER_BYTES_MAX)
		return err_set(e, EFBIG, "the files of the layer are larger than %lld GiB",
			       LAYER_BYTES_MAX >> 30);
	return 0;
}

static int note_package_file(struct tree *t, const char *path, struct err *e)
{
	if (!package_source_of(path))
		return 0;
	if (t->package_files.len + strlen(path) >= PACKAGE_PATHS_MAX)
		t->has_more_package_files = true;
	else
		buf_add(&t->package_files, path, strlen(path) + 1);
	return buf_ok(&t->package_files) ? 0 : err_set(e, ENOMEM, "out of memory");
}

int tree_put(struct tree *t, const struct entry *en, struct err *e)
{
	bool is_file = !en->hardlink && S_ISREG(en->mode), is_dir = !en->hardlink && S_ISDIR(en->mode);
	int r = count_entry(t, is_file ? en->size : 0, e);

	if (r < 0)
		return r;
	if (!*en->path && !is_dir)
		return err_set(e, EINVAL, "the root of the layer must be a directory");
	if (!en->hardlink && S_ISCHR(en->mode) && en->rdev == 0)
		return err_set(e, EINVAL, "the character device 0:0 is kept for whiteouts");
	if (is_file || en->hardlink)
		r = note_package_file(t, en->path, e);
	return r < 0 ? r : t->ops->put(t, en, e);
}

int tree_write(struct tree *t, const void *data, size_t n, uint64_t offset, struct err *e)
{
	return t->ops->write(t, data, n, offset, e);
}

int tree_end_file(struct tree *t, const struct entry *en, struct err *e)
{
	return t->ops->end_file(t, en, e);
}

void tree_place(const struct tree *t, const struct entry *en, struct content_place *ret)
{
	t->ops->place(t, en, ret);
}

bool tree_has_lost(const struct tree *t)
{
	return t->has_lost;
}

int tree_whiteout(struct tree *t, const char *path, struct err *e)
{
	int r = count_entry(t, 0, e);

	return r < 0 ? r : t->ops->whiteout(t, path, e);
}

int tree_opaque(struct tree *t, const char *path, struct err *e)
{
	int r = count_entry(t, 0, e);

	return r < 0 ? r : t->ops->opaque(t, path, e);
}

int tree_finish(struct tree *t, struct err *e)
{
	return t->ops->finish(t, e);
}

const struct buf *tree_package_files(const struct tree *t, bool *ret_all)
{
	*ret_all = !t->has_more_package_files;
	return &t->package_files;
}

int tree_copy_file(struct tree *t, const char *path, uint64_t max, int to_fd, uint64_t *ret_bytes,
		   struct err *e)
{
	return t->ops->copy_file(t, path, max, to_fd, ret_bytes, e);
}

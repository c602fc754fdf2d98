/* usage.c - what images take on the disk, layers that several share counted once */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "image/store_int.h"

#define BLOCK_BYTES 512 /* of st_blocks */

/* The one number of a statement whose parameters are bound. */
static int only_number(struct db_stmt *st, uint64_t *ret, struct err *e)
{
	int r = db_step(st, e);

	if (r < 0)
		return r;
	*ret = r ? (uint64_t)db_i64(st, 0) : 0;
	return 0;
}

int image_layers_bytes(struct image_store *s, const struct strv *ids, uint64_t *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st =
		db_sql(s->db, "SELECT coalesce(sum(size_bytes), 0) FROM layer WHERE diff_id IN (SELECT layer"
			      " FROM image_layer WHERE instr(?, image || ' ') > 0)");
	AUTO(buf_done) struct buf list = { 0 };

	for (size_t i = 0; i < ids->n; i++)
		buf_addf(&list, "%s ", ids->v[i]);
	if (!buf_ok(&list))
		return err_set(e, ENOMEM, "out of memory");
	db_bind_text(&st, list.data ? list.data : "");
	return only_number(&st, ret, e);
}

int image_shared_bytes(struct image_store *s, const char *id, uint64_t *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT coalesce(sum(size_bytes), 0) FROM layer WHERE diff_id IN"
					  " (SELECT layer FROM image_layer WHERE image = ?) AND diff_id IN"
					  " (SELECT layer FROM image_layer WHERE image <> ?)");

	db_bind_text(&st, id);
	db_bind_text(&st, id);
	return only_number(&st, ret, e);
}

/* "HEX.erofs" of "sha256:HEX". */
static char *root_name(const char *id)
{
	const char *colon = strchr(id, ':');

	return str_printf("%s.erofs", colon ? colon + 1 : id);
}

uint64_t image_root_bytes(struct image_store *s, const char *id)
{
	autofree char *name = root_name(id);
	struct stat st;

	return name && fstatat(s->roots_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0
		       ? (uint64_t)st.st_blocks * BLOCK_BYTES
		       : 0;
}

int image_root_remove(struct image_store *s, const char *id, struct err *e)
{
	autofree char *name = root_name(id);

	if (!name)
		return err_set(e, ENOMEM, "out of memory");
	return unlinkat(s->roots_fd, name, 0) < 0 && errno != ENOENT
		       ? err_sys(e, errno, "%s/roots/%s", s->root, name)
		       : 0;
}

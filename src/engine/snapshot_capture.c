/* snapshot_capture.c - a copy of what an instance writes to, while nothing of it writes
 *
 * Blocks are shared where the file system can do that; a disk image stays as sparse as it is.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "container/copy_up.h"
#include "engine/snapshot.h"
#include "storage/qcow2.h"

/* One run of data. */
static int copy_run(int from, int to, off_t at, off_t end)
{
	off_t in = at, out = at;

	while (in < end) {
		ssize_t n = copy_file_range(from, &in, to, &out, (size_t)(end - in), 0);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
	}
	return 0;
}

int snapshot_copy_sparse(int from, int to)
{
	struct stat st;
	off_t at = 0, end;
	int r = 0;

	if (ioctl(to, FICLONE, from) == 0)
		return 0;
	if (fstat(from, &st) < 0 || ftruncate(to, st.st_size) < 0)
		return -errno;
	while (r == 0 && (at = lseek(from, at, SEEK_DATA)) >= 0) {
		end = lseek(from, at, SEEK_HOLE);
		r = end < 0 ? -errno : copy_run(from, to, at, end);
		at = end;
	}
	return r == 0 && errno != ENXIO ? -errno : r;
}

static int capture_disk(int top, const char *form, int stage, struct err *e)
{
	autoclose int from = openat(top, form, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int to = openat(stage, form, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r = from < 0 || to < 0 ? -errno : snapshot_copy_sparse(from, to);

	return r < 0 ? err_sys(e, -r, "cannot copy the disk") : 0;
}

static int capture_upper(int top, int stage, struct err *e)
{
	autoclose int from = openat(top, "upper", O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int to = from < 0 ? -1 : mkdir_open(stage, "upper", 0755);

	if (from < 0 || to < 0)
		return err_sys(e, from < 0 ? errno : -to, "cannot copy what it has written");
	return copy_layer(from, to, e);
}

static bool is_empty(struct engine *en, const struct instance_spec *spec, const char *layer)
{
	autoclose int disk = layer_open(en, spec, layer, false, NULL);

	return disk == -ENOENT || (disk >= 0 && qcow2_is_empty(disk) > 0);
}

/* What is written: the top, or the one below where the top of a machine is empty and may not be open yet
 * (snapshot_switch_begin).  *ret by writable_done. */
static int find_written(struct engine *en, const struct instance_spec *spec, const struct writable *w,
			struct writable *ret, struct err *e)
{
	AUTO(strv_done) struct strv chain = { 0 };
	size_t i = 0;
	int r = layer_chain(en->db, w->top, &chain, e);

	if (r < 0)
		return r;
	for (i = chain.n - 1; spec->isolation == ISOLATION_VM && i && is_empty(en, spec, chain.v[i]);)
		i--;
	if (str_copy(chain.v[i], &ret->top) < 0 || str_copy(i ? chain.v[i - 1] : NULL, &ret->below) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

int snapshot_capture(struct engine *en, const struct instance_spec *spec, const struct writable *top,
		     struct layer_stage *st, struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	autoclose int dir = -1;
	int r = find_written(en, spec, top, &w, e);

	if (r < 0)
		return r;
	if (str_copy(w.below, &st->below) < 0)
		return err_set(e, ENOMEM, "out of memory");
	dir = layer_top_open(en, spec->id, &w, e);
	r = dir < 0			      ? dir
	    : spec->isolation == ISOLATION_VM ? capture_disk(dir, layer_form(spec->isolation, &w), st->dir, e)
					      : capture_upper(dir, st->dir, e);
	if (r == 0 && syncfs(st->dir) < 0)
		r = err_sys(e, errno, "cannot make the snapshot durable");
	return r;
}

int snapshot_record_captured(struct engine *en, const struct writable *w, struct layer_stage *st,
			     struct snapshot *s, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = layer_add(en->db, st->id, st->below, e);
	if (r == 0)
		r = snapshot_record_add(en->db, s, e);
	if (r == 0)
		r = writable_set(en->db, s->instance, w->top, w->below, s->id, e);
	if (r == 0)
		r = layer_stage_commit(en, st, e);
	return r < 0 ? r : db_commit(&tx, e);
}

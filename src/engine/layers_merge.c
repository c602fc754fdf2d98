/* layers_merge.c - layers that nobody needs by themselves become one with what stands on them
 *
 * So a chain is as long as there are snapshots on it, however many there were.  The files first (storage/merge.h: at any
 * moment both layers together hold the same), durable, then one transaction; the directory of the upper layer, which no row
 * names any more, is swept.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/layers.h"
#include "storage/merge.h"

/* What both hold of this form; -ENOENT: one of them nothing. */
static int open_form(int low, int up, const char *low_form, const char *up_form, int flags, int *ret_low,
		     int *ret_up)
{
	*ret_low = openat(low, low_form,
			  (flags & O_DIRECTORY ? O_RDONLY : O_RDWR) | flags | O_NOFOLLOW | O_CLOEXEC);
	*ret_up = *ret_low < 0 ? -1 : openat(up, up_form, O_RDONLY | flags | O_NOFOLLOW | O_CLOEXEC);
	return *ret_up < 0 ? -errno : 0;
}

static int merge_files(const struct layer_pair *p, int isolation, int low, int up)
{
	const char *low_form = isolation == ISOLATION_CONTAINER ? "upper"
			       : p->below			? "disk.qcow2"
								: "disk.ext4";
	const char *up_form = isolation == ISOLATION_CONTAINER ? "upper" : "disk.qcow2";
	int flags = isolation == ISOLATION_CONTAINER ? O_DIRECTORY : 0;
	autoclose int from = -1, to = -1;
	int r = open_form(low, up, low_form, up_form, flags, &to, &from);

	if (r < 0)
		return r;
	r = isolation == ISOLATION_CONTAINER ? merge_directories(to, from) : merge_disks(to, !p->below, from);
	return r == 0 && syncfs(to) < 0 ? -errno : r;
}

/* Of a top that was never written there is nothing to merge. */
static bool is_unwritten(int dir)
{
	return faccessat(dir, "upper", F_OK, AT_SYMLINK_NOFOLLOW) < 0 &&
	       faccessat(dir, "disk.qcow2", F_OK, AT_SYMLINK_NOFOLLOW) < 0;
}

static int record(struct engine *en, const struct layer_pair *p, struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = layer_pair_merge(en->db, p, e);
	return r < 0 ? r : db_commit(&tx, e);
}

/* The form of a layer is that of the wall that wrote it: an instance may have been moved since. */
static int merge(struct engine *en, const struct layer_pair *p, struct err *e)
{
	autoclose int low = layer_dir_open(en, p->lower), up = layer_dir_open(en, p->upper);
	int r = low;

	if (r >= 0 && (up == -ENOENT || (up >= 0 && is_unwritten(up))))
		return record(en, p, e);
	if (r >= 0)
		r = up;
	if (r >= 0)
		r = merge_files(p, ISOLATION_CONTAINER, low, up);
	if (r == -ENOENT)
		r = merge_files(p, ISOLATION_VM, low, up);
	return r < 0 ? err_sys(e, -r, "the layers %.12s and %.12s cannot become one", p->lower, p->upper)
		     : record(en, p, e);
}

int layers_merge(struct engine *en, const struct instance_spec *s, struct err *e)
{
	char after[LAYER_ID_LEN + 1] = "";
	struct err first = { 0 };
	int r;

	for (;;) {
		AUTO(layer_pair_done) struct layer_pair p = { 0 };

		r = layer_pair_find(en->db, s->id, after, &p, e);
		if (r <= 0)
			break;
		r = merge(en, &p, e);
		if (r == 0) {
			*after = '\0'; /* there may be another pair now */
			continue;
		}
		if (!first.no)
			err_set(&first, -r, "%s", e ? e->msg : "");
		snprintf(after, sizeof(after), "%s", p.lower); /* the others may do */
	}
	return r < 0 ? r : first.no ? err_set(e, first.no, "%s", first.msg) : 0;
}

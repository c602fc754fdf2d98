/* inventory.c - the inventory of a layer, which packages it holds: is it what it was, and how it is made again
 *
 * It is small and read by its checksum, which stands in the layer's record.  What is lost can be had again from the layer
 * itself: a job copies what overlayfs shows of that, where whiteouts are nothing, and notes the packages that it sees.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/store_int.h"
#include "packages/package.h"

#define LINE_MAX_BYTES 512 /* above INVENTORY_BYTES_MAX: the line that says that there was more */

static int inventory_name(const char *diff_id, char ret[DIGEST_HEX], struct err *e)
{
	struct digest d;

	if (digest_parse(diff_id, &d) < 0)
		return err_set(e, EINVAL, "\"%.80s\" is no layer", diff_id);
	digest_hex(&d, ret);
	return 0;
}

int store_inventory_read(int dir_fd, const char *name, struct buf *ret)
{
	return read_file(dir_fd, name, INVENTORY_BYTES_MAX + LINE_MAX_BYTES, ret);
}

int store_inventory_hash(int dir_fd, const char *name, char ret[SHA256_HEX])
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = store_inventory_read(dir_fd, name, &text);

	if (r == 0)
		sha256_hex(text.data, text.len, ret);
	return r;
}

/* --- is it what it was */

/* All that can be said of one whose checksum was not kept. */
static bool can_be_read(const struct buf *text)
{
	const char *at = text->data, *end = at + text->len;

	while (at < end) {
		AUTO(package_file_done) struct package_file f = { 0 };
		const char *line = at;

		at = memchr(line, '\n', (size_t)(end - line));
		if (!at ||
		    json_parse(&package_file_table, line, (size_t)(at - line), JSON_STRICT, &f, NULL) < 0)
			return false;
		at++;
	}
	return true;
}

int store_inventory_look(struct image_store *s, const char *diff_id, enum inventory_state *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	char hex[DIGEST_HEX], is[SHA256_HEX];
	struct layer_sums sums;
	const char *want = sums.packages;
	int r = inventory_name(diff_id, hex, e);

	if (r == 0)
		r = record_layer_sums(s, diff_id, &sums, e);
	if (r < 0)
		return r;
	r = store_inventory_read(s->packages_fd, hex, &text);
	if (r == -ENOMEM)
		return err_set(e, ENOMEM, "out of memory");
	if (r == -ENOENT) {
		*ret = *want ? INVENTORY_MISSING : INVENTORY_INTACT;
		return 0;
	}
	sha256_hex(text.data, text.len, is);
	*ret = r == 0 && (*want ? !strcmp(is, want) : can_be_read(&text)) ? INVENTORY_INTACT
									  : INVENTORY_CHANGED;
	return 0;
}

/* --- made again */

static int record_hash(struct image_store *s, const char *diff_id, const char *hash, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "UPDATE layer SET packages = ? WHERE diff_id = ?");

	db_bind_text(&st, hash);
	db_bind_text(&st, diff_id);
	return db_run(&st, e);
}

/* Durable first, then under its name; a kill before the record leaves one that is made again once more. */
static int keep(struct image_store *s, int stage_fd, const char *from, const char *diff_id, struct err *e)
{
	autoclose int fd = openat(stage_fd, from, O_RDONLY | O_CLOEXEC | O_NOFOLLOW), lock = -1;
	char hash[SHA256_HEX], hex[DIGEST_HEX];
	int r = inventory_name(diff_id, hex, e);

	if (r < 0)
		return r;
	r = fd < 0 || fsync(fd) < 0 ? -errno : store_inventory_hash(stage_fd, from, hash);
	if (r < 0)
		return err_sys(e, -r, "what was made");
	lock = image_store_lock(s, STORE_LOCK, STORE_LOCK_WAIT_S, "ketch image verify", e);
	if (lock < 0)
		return lock;
	if (renameat(stage_fd, from, s->packages_fd, hex) < 0 || fsync(s->packages_fd) < 0)
		return err_sys(e, errno, "keep it");
	return record_hash(s, diff_id, hash, e);
}

const char *store_inventory_trouble(enum inventory_state state)
{
	return state == INVENTORY_MISSING ? "is missing: ketch image verify --repair makes it again"
					  : "has changed: ketch image verify --repair makes it again";
}

int store_inventory_remake(struct image_store *s, const char *diff_id, struct err *e)
{
	AUTO(stage_done) struct stage st = { .fd = -1 };
	AUTO(strv_done) struct strv layers = { 0 };
	char hex[DIGEST_HEX], from[sizeof("packages/") + DIGEST_HEX];
	int r = stage_open(s, &st, e);

	if (r == 0 && strv_add(&layers, diff_id) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = store_merge(s, &st, &layers, hex, e);
	if (r == 0) {
		snprintf(from, sizeof(from), "packages/%s", hex);
		r = keep(s, st.fd, from, diff_id, e);
	}
	return r < 0 ? err_wrap(e, r, "make the inventory of layer %.19s", diff_id) : 0;
}

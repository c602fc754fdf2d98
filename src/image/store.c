/* store.c - one store: its directories, and images as others see them */
#include "image/store.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "events/journal.h"
#include "image/store_int.h"

static const char *const schema[] = {
	"CREATE TABLE layer (diff_id TEXT PRIMARY KEY, size_bytes INTEGER NOT NULL) STRICT;"
	"CREATE TABLE image (id TEXT PRIMARY KEY, manifest TEXT, created_ns INTEGER NOT NULL) STRICT;"
	"CREATE TABLE image_layer (image TEXT NOT NULL REFERENCES image ON DELETE CASCADE, place INTEGER NOT "
	"NULL,"
	" layer TEXT NOT NULL REFERENCES layer, PRIMARY KEY (image, place)) STRICT;"
	"CREATE INDEX image_layer_layer ON image_layer (layer);"
	"CREATE TABLE image_ref (ref TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES image ON DELETE "
	"CASCADE) STRICT;"
	"CREATE INDEX image_ref_image ON image_ref (image);",
	/* of the layer's EROFS file; NULL: it is a directory */
	"ALTER TABLE layer ADD COLUMN verity TEXT;",
	"CREATE TABLE image_digest (name TEXT NOT NULL, digest TEXT NOT NULL, image TEXT NOT NULL REFERENCES "
	"image"
	" ON DELETE CASCADE, PRIMARY KEY (name, digest)) STRICT;"
	"CREATE INDEX image_digest_image ON image_digest (image);"
	"CREATE TABLE image_manifest (digest TEXT PRIMARY KEY, image TEXT NOT NULL REFERENCES image ON DELETE"
	" CASCADE, text TEXT NOT NULL) STRICT;"
	"CREATE TABLE layer_blob (digest TEXT PRIMARY KEY, diff_id TEXT NOT NULL REFERENCES layer ON DELETE "
	"CASCADE)"
	" STRICT;",
	/* of the layer's archive, if it can be made again; else NULL */
	"ALTER TABLE layer ADD COLUMN tar_bytes INTEGER;",
	/* SHA-256 of the layer's inventory, as hex digits; NULL: not known, it came before */
	"ALTER TABLE layer ADD COLUMN packages TEXT;",
};

static int open_dirs(struct image_store *s, struct err *e)
{
	struct {
		const char *name;
		int *fd;
	} dirs[] = {
		{ "layers", &s->layers_fd },	 { "skeletons", &s->skeletons_fd },
		{ "packages", &s->packages_fd }, { "configs", &s->configs_fd },
		{ "roots", &s->roots_fd },	 { "blobs", &s->blobs_fd },
		{ "tmp", &s->tmp_fd },		 { "locks", &s->locks_fd },
		{ JOURNAL_DIR, &s->events_fd },
	};

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++) {
		*dirs[i].fd = image_store_dir(s, s->root_fd, dirs[i].name);
		if (*dirs[i].fd < 0)
			return err_sys(e, -*dirs[i].fd, "open %s/%s", s->root, dirs[i].name);
	}
	return 0;
}

/* Others may not look in: the trees hold setuid programs and what images keep secret.  So every directory below is
 * 0700; of the root, which may be one that somebody has chosen, only what would undo that is refused. */
static int check_root(int fd, const char *root, struct err *e)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "%s", root);
	if (st.st_uid != geteuid())
		return err_set(e, EPERM, "the store %s belongs to another user", root);
	if (st.st_mode & 022)
		return err_set(e, EPERM, "the store %s may be written by others: chmod 700 it", root);
	return 0;
}

enum store_state image_store_state(const struct image_store *s)
{
	return s->state;
}

int image_store_dir(const struct image_store *s, int dirfd, const char *path)
{
	const int flags = O_RDONLY | O_DIRECTORY | O_CLOEXEC;
	int fd;

	if (s->state == STORE_WHOLE)
		return mkdir_open(dirfd, path, 0700);
	fd = openat(dirfd, path, flags);
	if (fd < 0 && errno == ENOENT && s->state == STORE_READ_ONLY)
		return open_no_dir();
	if (fd < 0 && errno == ENOENT)
		fd = openat(s->root_fd, ".", flags);
	return fd < 0 ? -errno : fd;
}

static int cannot_open(const char *root, int no, struct err *e)
{
	if (no == EACCES && geteuid() != 0)
		return err_set(e, no,
			       "open the store %s: permission denied: Ketch is used by root (try sudo)",
			       root);
	return err_sys(e, no, "open the store %s", root);
}

/* The directory, as far as it is there. */
static int find_root(struct image_store *s, const char *root, struct err *e)
{
	struct statvfs fs;

	s->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (s->root_fd < 0 && errno != ENOENT)
		return cannot_open(root, errno, e);
	if (s->root_fd >= 0 && faccessat(s->root_fd, "ketch.db", F_OK, 0) == 0) {
		if (fstatvfs(s->root_fd, &fs) == 0 && fs.f_flag & ST_RDONLY)
			s->state = STORE_READ_ONLY;
		return 0;
	}
	s->state = STORE_ABSENT;
	auto_close(&s->root_fd);
	s->root_fd = open_no_dir();
	return s->root_fd < 0 ? err_sys(e, -s->root_fd, "an empty directory") : 0;
}

static int open_root(struct image_store *s, const char *root, bool make, struct err *e)
{
	int r = 0;

	if (make)
		r = s->root_fd = mkdir_open(AT_FDCWD, root, 0700);
	if (r < 0)
		return cannot_open(root, -r, e);
	if (!make)
		r = find_root(s, root, e);
	if (r < 0)
		return r;
	s->root = s->state == STORE_ABSENT ? strdup(root) : realpath(root, NULL);
	if (!s->root)
		return cannot_open(root, errno, e);
	return s->state == STORE_ABSENT ? 0 : check_root(s->root_fd, s->root, e);
}

static int open_records(struct image_store *s, struct err *e)
{
	if (s->state == STORE_ABSENT)
		return db_open_none(&s->db, e);
	return s->state == STORE_READ_ONLY ? db_open_read(s->root, &s->db, e) : db_open(s->root, &s->db, e);
}

static int store_init(struct image_store *s, const char *root, bool make, struct err *e)
{
	int r = open_root(s, root, make, e);

	if (r == 0)
		r = open_dirs(s, e);
	if (r == 0)
		r = open_records(s, e);
	if (r == 0)
		r = db_schema(s->db, "image", schema, ARRAY_LEN(schema), e);
	return r;
}

int image_store_open(const char *root, bool make, struct image_store **ret, struct err *e)
{
	struct image_store *s = malloc(sizeof(*s));
	int r;

	if (!s)
		return err_set(e, ENOMEM, "out of memory");
	*s = (struct image_store){ .root_fd = -1,
				   .layers_fd = -1,
				   .skeletons_fd = -1,
				   .packages_fd = -1,
				   .configs_fd = -1,
				   .roots_fd = -1,
				   .blobs_fd = -1,
				   .tmp_fd = -1,
				   .locks_fd = -1,
				   .events_fd = -1 };
	r = store_init(s, root, make, e);
	if (r < 0) {
		image_store_close(s);
		return r;
	}
	*ret = s;
	return 0;
}

int image_store_events(struct image_store *s)
{
	return s->events_fd;
}

void store_tell(struct image_store *s, const char *action, const char *id, const char *name)
{
	journal_append(s->events_fd, &(const struct event_news){ "image", action, id, .name = name });
}

struct db *image_store_db(struct image_store *s)
{
	return s->db;
}

struct image_store *image_store_close(struct image_store *s)
{
	if (!s)
		return NULL;
	auto_close(&s->root_fd);
	auto_close(&s->layers_fd);
	auto_close(&s->skeletons_fd);
	auto_close(&s->packages_fd);
	auto_close(&s->configs_fd);
	auto_close(&s->roots_fd);
	auto_close(&s->blobs_fd);
	auto_close(&s->tmp_fd);
	auto_close(&s->locks_fd);
	auto_close(&s->events_fd);
	db_close(s->db);
	free(s->root);
	free(s);
	return NULL;
}

void image_done(struct image *im)
{
	free(im->id);
	strv_done(&im->refs);
	strv_done(&im->digests);
	json_done(&image_config_table, &im->config);
	*im = (struct image){ 0 };
}

static int read_config(struct image_store *s, const char *id, struct image_config *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_file(s->configs_fd, strchr(id, ':') + 1, IMAGE_DOCUMENT_MAX, &text);

	if (r < 0)
		return err_sys(e, -r, "the config of image %.19s", id);
	return image_config_parse(text.data, text.len, ret, e);
}

/* What the records know of image `id` and its config. */
static int load_image(struct image_store *s, const char *id, struct image *im, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(
		s->db, "SELECT created_ns, (SELECT coalesce(sum(size_bytes), 0) FROM layer WHERE diff_id IN"
		       " (SELECT layer FROM image_layer WHERE image = id)) FROM image WHERE id = ?");
	int r;

	db_bind_text(&st, id);
	r = db_step(&st, e);
	if (r <= 0)
		return r < 0 ? r : err_set(e, ENOENT, "no such image: %s", id);
	im->created_ns = db_i64(&st, 0);
	im->size_bytes = (uint64_t)db_i64(&st, 1);
	im->id = strdup(id);
	if (!im->id)
		return err_set(e, ENOMEM, "out of memory");
	r = record_refs(s, id, &im->refs, e);
	if (r == 0)
		r = record_digests(s, id, &im->digests, e);
	return r < 0 ? r : read_config(s, id, &im->config, e);
}

int image_find(struct image_store *s, const char *ref, struct image *ret, struct err *e)
{
	autofree char *id = NULL, *name = NULL;
	struct image im = { 0 };
	int r = record_resolve(s, ref, &id, &name, e);

	if (r == 0)
		r = load_image(s, id, &im, e);
	if (r < 0) {
		image_done(&im);
		return r;
	}
	*ret = im;
	return 0;
}

static int list_ids(struct image_store *s, struct strv *ret, struct err *e)
{
	AUTO(db_stmt_done)
	struct db_stmt st = db_sql(s->db, "SELECT id FROM image ORDER BY created_ns DESC, id");
	int r;

	while ((r = db_step(&st, e)) > 0)
		if (strv_add(ret, db_text(&st, 0)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return r;
}

int image_list(struct image_store *s, struct image **ret, size_t *ret_n, struct err *e)
{
	AUTO(strv_done) struct strv ids = { 0 };
	struct image *list;
	size_t n = 0;
	int r = list_ids(s, &ids, e);

	if (r < 0)
		return r;
	list = calloc(ids.n + 1, sizeof(*list));
	if (!list)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < ids.n; i++) {
		/* one removed meanwhile is not listed, one with a damaged config is: it can be removed */
		if (load_image(s, ids.v[i], &list[n], NULL) == 0 || list[n].id)
			n++;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

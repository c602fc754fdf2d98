/* fake_exports.c - instances that are neither exported nor imported, for tests of the command line */
#include <errno.h>
#include <stddef.h>

#include "engine/export.h"
#include "engine/import.h"
#include "image/image_archive.h"
#include "image/store.h"

int export_begin(struct engine *en, const struct instance *in, bool no_volumes, struct snapshot *ret,
		 struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int export_volume_open(struct engine *en, const struct snapshot *s, const char *volume, bool *ret_fresh,
		       struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int instance_import(struct engine *en, const struct import_request *rq, struct instance_spec *ret,
		    struct strv *ret_left, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int snapshot_spec(const struct snapshot *s, struct instance_spec *ret, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int image_spool_stream(struct image_store *s, int from_fd, struct image_spool *ret, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int image_spool_tree(struct image_store *s, int dir_fd, struct image_spool *ret, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

void image_spool_done(struct image_spool *sp)
{
}

int image_archive_begin(struct image_store *s, int out_fd, struct image_archive **ret, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int image_archive_add(struct image_archive *a, const char *base, const struct image_top *top, const char *ref,
		      char **ret_id, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

int image_archive_end(struct image_archive *a, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

struct image_archive *image_archive_free(struct image_archive *a)
{
	return NULL;
}

int image_expand(struct image_store *s, int fd, const struct image_sink *to, struct err *e)
{
	return err_set(e, ENOENT, "none");
}

/* fake_volumes.c - a store with the volumes "v1", which instance "abc" mounts, and "v2"; what images take */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "engine/volume.h"
#include "fake_engine.h"
#include "image/history.h"
#include "image/packages.h"
#include "image/save.h"
#include "image/verify.h"

static const struct jfield volume_fields[] = {
	J(J_STR, struct volume, name),
	J(J_MAP, struct volume, labels),
	J(J_MAP, struct volume, options),
	{ 0 },
};
const struct jtable volume_table = { sizeof(struct volume), volume_fields };

void volume_done(struct volume *v)
{
	json_done(&volume_table, v);
}

void volumes_free(struct volume *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		volume_done(&v[i]);
	free(v);
}

static struct volume make(const char *name)
{
	struct volume v = { .name = strdup(name), .anonymous = !strcmp(name, "v2") };

	strv_add(&v.labels, "a=1");
	return v;
}

static bool is_known(const char *name)
{
	return !strcmp(name, "v1") || !strcmp(name, "v2");
}

int volume_create(struct engine *en, const char *name, const struct strv *labels, const struct strv *options,
		  char **ret_name, struct err *e)
{
	buf_addf(&fake.calls, "volume create %s labels=%zu options=%zu\n", name ? name : "(none)", labels->n,
		 options->n);
	*ret_name = strdup(name ? name : "new");
	return 0;
}

int volume_find(struct engine *en, const char *name, struct volume *ret, struct err *e)
{
	if (!is_known(name))
		return err_set(e, ENOENT, "no such volume: %s", name);
	*ret = make(name);
	return 0;
}

int volume_list(struct engine *en, struct volume **ret, size_t *ret_n, struct err *e)
{
	*ret = calloc(2, sizeof(**ret));
	(*ret)[0] = make("v1");
	(*ret)[1] = make("v2");
	*ret_n = 2;
	return 0;
}

int volume_users(struct engine *en, const char *name, struct strv *ret, struct err *e)
{
	return strcmp(name, "v1") ? 0 : strv_add(ret, "abc");
}

int volume_remove(struct engine *en, const char *name, struct err *e)
{
	if (!is_known(name))
		return err_set(e, ENOENT, "no such volume: %s", name);
	if (!strcmp(name, "v1"))
		return err_set(e, EBUSY, "remove v1: volume is in use - [abc]");
	buf_addf(&fake.calls, "volume remove %s\n", name);
	return 0;
}

char *volume_path(struct engine *en, const char *name)
{
	return str_printf("/store/volumes/%s/_data", name);
}

uint64_t volume_bytes(struct engine *en, const char *name)
{
	return 4096;
}

int volume_sweep(struct engine *en, struct err *e)
{
	return 0;
}

/* --- what images take */

int image_layers_bytes(struct image_store *s, const struct strv *ids, uint64_t *ret, struct err *e)
{
	*ret = 1000 * ids->n;
	return 0;
}

int image_shared_bytes(struct image_store *s, const char *id, uint64_t *ret, struct err *e)
{
	*ret = 500;
	return 0;
}

uint64_t image_root_bytes(struct image_store *s, const char *id)
{
	return strcmp(id, "sha256:feedfeedfeedfeed") ? 0 : 2000;
}

int image_downloads_remove(struct image_store *s, uint64_t *bytes, struct err *e)
{
	return 0;
}

int image_root_remove(struct image_store *s, const char *id, struct err *e)
{
	buf_addf(&fake.calls, "remove root of %s\n", id);
	return 0;
}

int image_save(struct image_store *s, const struct image_save *rq, struct err *e)
{
	buf_addf(&fake.calls, "save %zu docker=%d dir=%d\n", rq->names->n, rq->docker, rq->dir_fd >= 0);
	return 0;
}

int image_verify(struct image_store *s, const struct image *im, bool repair, struct strv *checked,
		 struct strv *ret_lines, size_t *ret_unknown, struct err *e)
{
	if (!im->refs.n || strcmp(im->refs.v[0], "x:latest"))
		strv_add(ret_lines, "layer sha256:00 has changed");
	else
		*ret_unknown = 1;
	return 0;
}

void image_packages_done(struct image_packages *p)
{
	free(p->files);
}

int image_packages(struct image_store *s, const struct image *im, struct image_packages *ret, struct err *e)
{
	static char zlib[] = "zlib", zlib_version[] = "1.3", musl[] = "musl", musl_version[] = "1.2-r1",
		    arch[] = "x86_64", installed[] = "lib/apk/db/installed", type[] = "apk", go[] = "golang",
		    sum[] = "go\n.sum", problem[] = "odd\033";
	static struct package apk[] = { { zlib, zlib_version, NULL }, { musl, musl_version, arch } };

	ret->files = calloc(2, sizeof(*ret->files));
	ret->files[0] = (struct package_file){ installed, type, NULL, apk, 2, 0 };
	ret->files[1] = (struct package_file){ sum, go, problem, NULL, 0, 0 };
	ret->n = 2;
	ret->n_unknown = 1;
	return 0;
}

int image_history(struct image_store *s, const struct image *im, struct history *ret, struct err *e)
{
	*ret = (struct history){ .steps = calloc(2, sizeof(*ret->steps)), .n = 2 };
	ret->steps[0] = (struct history_step){ .created = strdup("2020-01-02T03:04:05Z"),
					       .created_by = strdup(
						       "COPY everything and the kitchen sink into the image"),
					       .size_bytes = 5000 };
	ret->steps[1] = (struct history_step){ .comment = strdup("odd\033"), .empty_layer = true };
	return 0;
}

void history_done(struct history *h)
{
	for (size_t i = 0; i < h->n; i++) {
		free(h->steps[i].created);
		free(h->steps[i].created_by);
		free(h->steps[i].comment);
	}
	free(h->steps);
}

int volume_open_files(struct engine *en, const char *name, bool to_fill, struct err *e)
{
	return err_set(e, ENOENT, "no such volume: %s", name);
}

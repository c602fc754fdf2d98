/* import_look.c - is what an archive says of an instance possible here?  Before anything of it comes into the store */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "engine/foreign.h"
#include "engine/import_int.h"
#include "engine/volume_int.h"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

void import_forget(struct importing *im)
{
	exported_done(&im->x);
	strv_done(&im->images);
	strv_done(&im->fresh);
	strv_done(&im->old_names);
	strv_done(&im->new_names);
}

/* --- the document */

struct config_member {
	char *document;
	char *architecture;
};

static const struct jfield member_fields[] = {
	JK(J_RAW, struct config_member, document, EXPORTED_KEY),
	J(J_STR, struct config_member, architecture),
	{ 0 },
};
static const struct jtable member_table = { sizeof(struct config_member), member_fields };

static int check_architecture(struct importing *im, const char *arch, struct err *e)
{
	const char *host = engine_facts(im->en)->arch;

	return arch && *arch && host && strcmp(arch, host) != 0
		       ? err_set(e, EINVAL, "it is for %.20s, and this is %.20s", arch, host)
		       : 0;
}

static int read_document(struct importing *im, const struct buf *config, struct err *e)
{
	struct config_member m = { 0 };
	int r = json_parse(&member_table, config->data, config->len, JSON_UNIQUE, &m, e);

	if (r == 0 && !m.document)
		r = err_set(e, EINVAL,
			    "no instance in it: it was not written by ketch export --instance (ketch load "
			    "takes images)");
	if (r == 0)
		r = exported_parse(m.document, strlen(m.document), &im->x, e);
	if (r == 0)
		r = check_architecture(im, m.architecture, e);
	json_done(&member_table, &m);
	return r;
}

/* --- names */

static int check_image(const struct importing *im, const char *id, struct err *e)
{
	return strv_has(&im->images, id) ? 0 : err_set(e, EINVAL, "it has no image %.19s", id);
}

static int check_images(const struct importing *im, const struct exported_state *s, struct err *e)
{
	int r = s->image ? check_image(im, s->image, e) : 0;

	for (size_t i = 0; i < s->n_volumes && r == 0; i++)
		r = check_image(im, s->volumes[i].image, e);
	return r;
}

static int check_name(struct importing *im, const char *name, struct err *e)
{
	bool taken = false;
	int r = engine_check_name(name, e);

	if (r == 0)
		r = record_name_taken(im->en->db, name, &taken, e);
	return taken ? err_set(e, EEXIST, "there is an instance %s already: give it another name", name) : r;
}

/* --- volumes */

/* The new name of an anonymous one, the same in all states; NULL with e. */
static const char *new_name(struct importing *im, const char *old, struct err *e)
{
	char *name = NULL;

	for (size_t i = 0; i < im->old_names.n; i++)
		if (!strcmp(im->old_names.v[i], old))
			return im->new_names.v[i];
	if (volume_name_new(&name, e) < 0)
		return NULL;
	if (strv_add(&im->old_names, old) < 0 || strv_add_take(&im->new_names, name) < 0) {
		no_memory(e);
		return NULL;
	}
	return im->new_names.v[im->new_names.n - 1];
}

static int set_name(char **member, const char *name)
{
	char *copy = strdup(name);

	if (!copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

static int rename_volume(struct exported_state *s, struct mount_spec *m, const char *to, struct err *e)
{
	for (size_t i = 0; i < s->n_volumes; i++)
		if (!strcmp(s->volumes[i].name, m->source) && set_name(&s->volumes[i].name, to) < 0)
			return no_memory(e);
	return set_name(&m->source, to) < 0 ? no_memory(e) : 0;
}

static int rename_anonymous(struct importing *im, struct exported_state *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->spec.n_mounts && r == 0; i++) {
		struct mount_spec *m = &s->spec.mounts[i];
		const char *to;

		if (m->type != MOUNT_VOLUME || !m->anonymous || strv_has(&im->new_names, m->source))
			continue;
		to = new_name(im, m->source, e);
		r = to ? rename_volume(s, m, to, e) : -e->no;
	}
	return r;
}

static bool mounts_volume(const struct instance_spec *s, const char *name)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (s->mounts[i].type == MOUNT_VOLUME && !strcmp(s->mounts[i].source, name))
			return true;
	return false;
}

static int check_volume(struct importing *im, const struct exported_state *s, const char *name, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	int r;

	if (!mounts_volume(&s->spec, name))
		return err_set(e, EINVAL, "volume %s: it is mounted nowhere", name);
	r = volume_record_find(im->en->db, name, &v, e);
	if (r == 0)
		return err_set(e, EEXIST,
			       "there is a volume %s already: remove it, or have that one mounted with "
			       "--no-volumes",
			       name);
	return r == -ENOENT ? 0 : r;
}

static void forget_volumes(struct exported_state *s)
{
	for (size_t i = 0; i < s->n_volumes; i++) {
		free(s->volumes[i].name);
		free(s->volumes[i].image);
	}
	s->n_volumes = 0;
}

/* --- all of it */

static int look_at_state(struct importing *im, struct exported_state *s, struct err *e)
{
	const char *name = im->rq->name ? im->rq->name : im->x.now.spec.name;
	const struct foreign_as as = { im->id, name, s == &im->x.now ? NULL : &im->x.now.spec };
	int r = check_images(im, s, e);

	if (im->rq->no_volumes)
		forget_volumes(s);
	if (r == 0)
		r = rename_anonymous(im, s, e);
	for (size_t i = 0; i < s->n_volumes && r == 0; i++)
		r = check_volume(im, s, s->volumes[i].name, e);
	if (r == 0 && !im->rq->trusted)
		r = foreign_check(&s->spec, e);
	return r == 0 ? foreign_take(im->en, &as, &s->spec, e) : r;
}

static int note_fresh(struct importing *im, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < im->images.n && r == 0; i++) {
		struct image known = { 0 };

		r = image_find(im->en->images, im->images.v[i], &known, e);
		image_done(&known);
		if (r == -ENOENT)
			r = strv_add(&im->fresh, im->images.v[i]) < 0 ? no_memory(e) : 0;
	}
	return r;
}

int import_look(void *arg, const struct strv *ids, const struct buf *config, struct err *e)
{
	struct importing *im = arg;
	int r;

	import_forget(im); /* it may be the second time */
	engine_random_hex(32, im->id);
	r = strv_copy(&im->images, ids) < 0 ? no_memory(e) : read_document(im, config, e);
	if (r == 0)
		r = check_name(im, im->rq->name ? im->rq->name : im->x.now.spec.name, e);
	if (r == 0)
		r = look_at_state(im, &im->x.now, e);
	for (size_t i = 0; i < im->x.n_snapshots && r == 0; i++) {
		r = look_at_state(im, &im->x.snapshots[i], e);
		if (r < 0)
			err_wrap(e, r, "snapshot %s", im->x.snapshots[i].name);
	}
	if (r == 0)
		r = engine_check_plan(im->en, &im->x.now.spec, e);
	return r == 0 ? note_fresh(im, e) : r;
}

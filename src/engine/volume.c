/* volume.c - volumes come and go, alone or with an instance: their records, which volume_dir.c's directories follow */
#include "engine/volume.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "engine/disk_usage.h"
#include "engine/volume_int.h"

#define ANONYMOUS_KEY	"com.docker.volume.anonymous"
#define ANONYMOUS_LABEL ANONYMOUS_KEY "="

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

int volume_find(struct engine *en, const char *name, struct volume *ret, struct err *e)
{
	return volume_record_find(en->db, name, ret, e);
}

int volume_list(struct engine *en, struct volume **ret, size_t *ret_n, struct err *e)
{
	volume_strays_remove(en);
	return volume_record_list(en->db, ret, ret_n, e);
}

int volume_users(struct engine *en, const char *name, struct strv *ret, struct err *e)
{
	return volume_record_users(en->db, name, ret, e);
}

char *volume_path(struct engine *en, const char *name)
{
	return str_printf("%s/volumes/%s/_data", en->root, name);
}

uint64_t volume_bytes(struct engine *en, const char *name)
{
	return disk_usage_bytes(en->volumes_fd, name);
}

/* --- making */

/* Within a transaction: the record, and with a new one nothing in its place.  *ret_new: it is one. */
static int add_record(struct engine *en, const struct volume *v, bool *ret_new, struct err *e)
{
	int r = volume_record_add(en->db, v, ret_new, e);

	return r == 0 && *ret_new ? volume_dir_bury(en, v->name, e) : r;
}

static int same_options(const struct volume *have, const struct strv *options, struct err *e)
{
	bool same = have->options.n == options->n;

	for (size_t i = 0; same && i < options->n; i++)
		same = strv_has(&have->options, options->v[i]);
	return same || !options->n
		       ? 0
		       : err_set(e, EEXIST, "a volume named %s with different options already exists",
				 have->name);
}

static int create_checked(struct engine *en, const struct volume *want, struct err *e)
{
	AUTO(volume_done) struct volume have = { 0 };
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	bool is_new = false;
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = add_record(en, want, &is_new, e);
	if (r == 0)
		r = volume_record_find(en->db, want->name, &have, e);
	if (r == 0)
		r = same_options(&have, &want->options, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0 && is_new)
		engine_tell_volume(en, want->name, "create");
	return r < 0 ? r : volume_dir_make(en, want->name, e);
}

int volume_name_new(char **ret, struct err *e)
{
	char *name = calloc(1, 65);

	if (!name)
		return err_set(e, ENOMEM, "out of memory");
	engine_random_hex(32, name);
	*ret = name;
	return 0;
}

/* What Docker notes about a volume that nobody has named. */
static int note_anonymous(struct strv *labels)
{
	return strv_has(labels, ANONYMOUS_LABEL) ? 0 : strv_add(labels, ANONYMOUS_LABEL);
}

int volume_create(struct engine *en, const char *name, const struct strv *labels, const struct strv *options,
		  char **ret_name, struct err *e)
{
	AUTO(volume_done)
	struct volume v = { .created_ns = clock_real_ns(), .anonymous = !name };
	enum volume_kind kind;
	int r = name ? volume_name_check(name, e) : volume_name_new(&v.name, e);

	if (r == 0)
		r = volume_kind_of(options, &kind, e);
	if (r < 0)
		return r;
	if (name)
		v.name = strdup(name);
	if (!v.name || strv_copy(&v.labels, labels) < 0 || strv_copy(&v.options, options) < 0 ||
	    (v.anonymous && note_anonymous(&v.labels) < 0))
		return err_set(e, ENOMEM, "out of memory");
	r = create_checked(en, &v, e);
	if (r == 0)
		*ret_name = take_ptr(v.name);
	return r;
}

/* --- instances */

static bool is_of_volume(const struct mount_spec *m)
{
	return m->source && m->type != MOUNT_BIND;
}

static int in_use(struct engine *en, const char *name, struct err *e)
{
	AUTO(strv_done) struct strv ids = { 0 };
	AUTO(buf_done) struct buf list = { 0 };
	int r = volume_record_users(en->db, name, &ids, e);

	for (size_t i = 0; i < ids.n; i++)
		buf_addf(&list, "%s%s", i ? ", " : "", ids.v[i]);
	return r < 0 || !ids.n ? r
			       : err_set(e, EBUSY, "remove %s: volume is in use - [%.400s]", name, list.data);
}

/* In a VM the guest has it in its own memory, so two instances could not see the same. */
static int take_tmpfs(struct engine *en, const struct volume *v, struct mount_spec *m, struct err *e)
{
	const char *o = strv_env_get(&v->options, "o");
	int r = in_use(en, v->name, e);

	if (r < 0)
		return err_wrap(e, r, "a volume of type tmpfs is for one instance");
	m->type = MOUNT_TMPFS;
	m->copy_up = false; /* owner and mode are those of its options */
	free(m->options);
	m->options = o ? strdup(o) : NULL;
	return o && !m->options ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int resolve(struct engine *en, struct mount_spec *m, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	const struct strv *options = &m->volume_options;
	enum volume_kind kind;
	int r;

	if (!m->source)
		return volume_name_new(&m->source, e);
	r = volume_record_find(en->db, m->source, &v, e);
	if (r < 0 && r != -ENOENT)
		return r;
	if (r == 0) {
		r = same_options(&v, &m->volume_options, e);
		options = &v.options;
	} else {
		r = (v.name = strdup(m->source)) && strv_copy(&v.options, options) == 0
			    ? 0
			    : err_set(e, ENOMEM, "out of memory");
	}
	if (r == 0)
		r = volume_kind_of(options, &kind, e);
	if (r < 0 || kind == VOLUME_DIRECTORY)
		return r;
	if (kind == VOLUME_TMPFS)
		return take_tmpfs(en, &v, m, e);
	m->copy_up = false;
	m->read_only |= volume_o_has(options, "ro");
	return 0;
}

int volumes_resolve(struct engine *en, struct instance_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		int r = s->mounts[i].type == MOUNT_VOLUME ? resolve(en, &s->mounts[i], e) : 0;

		if (r < 0)
			return r;
	}
	return 0;
}

/* Its volume is added to `made` if there was none. */
static int record_mount(struct engine *en, const struct instance_spec *s, const struct mount_spec *m,
			struct strv *made, struct err *e)
{
	/* borrowed strings, but for the labels */
	struct volume v = { .name = m->source,
			    .created_ns = s->created_ns,
			    .options = m->volume_options,
			    .anonymous = m->anonymous };
	bool is_new = false;
	int r = strv_copy(&v.labels, &m->volume_labels);

	if (r == 0 && m->anonymous)
		r = note_anonymous(&v.labels);
	r = r < 0 ? err_set(e, ENOMEM, "out of memory") : add_record(en, &v, &is_new, e);
	strv_done(&v.labels);
	if (r == 0 && is_new && strv_add(made, m->source) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r < 0 ? r : volume_record_use(en->db, m->source, s->id, e);
}

int volume_add_copy(struct engine *en, const char *like, const char *name, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	bool is_new = false;
	int r = volume_record_find(en->db, like, &v, e);

	if (r < 0)
		return r;
	free(v.name);
	v.name = strdup(name);
	if (!v.name)
		return err_set(e, ENOMEM, "out of memory");
	v.created_ns = clock_real_ns();
	v.anonymous = false;
	strv_env_unset(&v.labels, ANONYMOUS_KEY);
	r = add_record(en, &v, &is_new, e);
	return r == 0 && !is_new ? err_set(e, EEXIST, "there is a volume %s already", name) : r;
}

int volumes_add_mounts(struct engine *en, const struct instance_spec *s, struct strv *ret_made, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < s->n_mounts; i++)
		if (is_of_volume(&s->mounts[i]))
			r = record_mount(en, s, &s->mounts[i], ret_made, e);
	return r;
}

int volumes_add_instance(struct engine *en, const struct instance_spec *s, struct strv *ret_made,
			 struct err *e)
{
	int r = record_add(en->db, s, e);

	return r < 0 ? r : volumes_add_mounts(en, s, ret_made, e);
}

static void tell_all(struct engine *en, const struct strv *names, const char *action)
{
	for (size_t i = 0; i < names->n; i++)
		engine_tell_volume(en, names->v[i], action);
}

void volumes_tell_made(struct engine *en, const struct strv *made)
{
	tell_all(en, made, "create");
}

/* Nothing of it outlives the machine: its record waits for no disk. */
static int begin_for(struct engine *en, const struct instance_spec *s, struct db_tx *ret, struct err *e)
{
	bool live = s->auto_remove;

	for (size_t i = 0; live && i < s->n_mounts; i++)
		live = !is_of_volume(&s->mounts[i]);
	return live ? db_begin_live(en->db, ret, e) : db_begin(en->db, ret, e);
}

int volumes_record_instance(struct engine *en, const struct instance_spec *s, struct err *e)
{
	AUTO(strv_done) struct strv made = { 0 };
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = begin_for(en, s, &tx, e);

	if (r == 0)
		r = volumes_add_instance(en, s, &made, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0)
		volumes_tell_made(en, &made);
	return r;
}

/* --- removing */

static int remove_record(struct engine *en, const char *name, struct err *e)
{
	AUTO(volume_done) struct volume v = { 0 };
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = db_begin(en->db, &tx, e);

	if (r == 0)
		r = volume_record_find(en->db, name, &v, e);
	if (r == 0)
		r = in_use(en, name, e);
	if (r == 0)
		r = volume_record_remove(en->db, name, e);
	return r < 0 ? r : db_commit(&tx, e);
}

int volume_remove(struct engine *en, const char *name, struct err *e)
{
	char *one[] = { (char *)(uintptr_t)name, NULL };
	int r = remove_record(en, name, e);

	if (r == -ENOSPC && db_spend_reserve(en->db))
		r = remove_record(en, name, e);
	if (r < 0)
		return r;
	engine_tell_volume(en, name, "destroy");
	return volume_dirs_remove(en, &(const struct strv){ one, 1 }, e);
}

static int forget(struct engine *en, const struct instance_spec *s, bool with_volumes, struct strv *gone,
		  struct err *e)
{
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	int r = begin_for(en, s, &tx, e);

	if (r == 0)
		r = record_remove(en->db, s->id, e);
	for (size_t i = 0; r == 0 && with_volumes && i < s->n_mounts; i++) {
		const struct mount_spec *m = &s->mounts[i];

		if (!m->anonymous || in_use(en, m->source, NULL) < 0)
			continue;
		r = volume_record_remove(en->db, m->source, e);
		if (r == 0 && strv_add(gone, m->source) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	}
	return r < 0 ? r : db_commit(&tx, e);
}

int volumes_forget_instance(struct engine *en, const struct instance_spec *s, bool with_volumes,
			    struct err *e)
{
	AUTO(strv_done) struct strv gone = { 0 };
	int r = forget(en, s, with_volumes, &gone, e);

	if (r == -ENOSPC && db_spend_reserve(en->db)) {
		strv_done(&gone);
		r = forget(en, s, with_volumes, &gone, e);
	}
	if (r < 0 || !gone.n)
		return r;
	tell_all(en, &gone, "destroy");
	return volume_dirs_remove(en, &gone, e);
}

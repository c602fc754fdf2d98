/* volumes_from.c - --volumes-from: the binds and volumes of another instance, at the same places */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/volume_int.h"

/* NAME[:ro|rw|z|Z]; modifies word. */
static int split_mode(char *word, bool *ret_read_only, struct err *e)
{
	char *mode = strchr(word, ':');

	*ret_read_only = false;
	if (!mode)
		return 0;
	*mode++ = '\0';
	*ret_read_only = !strcmp(mode, "ro");
	if (*ret_read_only || !strcmp(mode, "rw") || !strcmp(mode, "z") || !strcmp(mode, "Z"))
		return 0;
	return err_set(e, EINVAL, "unknown mode '%.40s' (ro and rw are known)", mode);
}

static bool has_target(const struct instance_spec *s, const char *target)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!strcmp(s->mounts[i].target, target))
			return true;
	return false;
}

/* A copy by way of the spec's table, which knows all members. */
static int copy_mounts(const struct instance_spec *from, struct instance_spec *ret, struct err *e)
{
	const struct instance_spec only = { .mounts = from->mounts, .n_mounts = from->n_mounts };

	return json_copy(&instance_spec_table, &only, ret) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

/* Those of the user are added to them later, and win. */
static int inherit(const struct instance_spec *from, bool read_only, struct instance_spec *s, struct err *e)
{
	struct instance_spec copy = { 0 };
	int r = copy_mounts(from, &copy, e);
	struct mount_spec *more =
		r < 0 ? NULL : reallocarray(s->mounts, s->n_mounts + copy.n_mounts + 1, sizeof(*more));

	if (more)
		s->mounts = more;
	else if (r == 0)
		r = err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; r == 0 && i < copy.n_mounts; i++) {
		struct mount_spec *m = &copy.mounts[i];

		if (m->type == MOUNT_TMPFS || has_target(s, m->target))
			continue;
		m->read_only |= read_only;
		m->anonymous = false; /* it goes with the instance that it was made for */
		s->mounts[s->n_mounts++] = *m;
		*m = (struct mount_spec){ 0 };
	}
	json_done(&instance_spec_table, &copy);
	return r;
}

int volumes_from(struct engine *en, const struct strv *words, struct instance_spec *s, struct err *e)
{
	for (size_t i = 0; i < words->n; i++) {
		AUTO(instance_done) struct instance in = { 0 };
		autofree char *name = strdup(words->v[i]);
		bool read_only = false;
		int r = name ? split_mode(name, &read_only, e) : err_set(e, ENOMEM, "out of memory");

		if (r == 0)
			r = engine_find(en, name, &in, e);
		if (r == 0)
			r = inherit(&in.spec, read_only, s, e);
		if (r < 0)
			return err_wrap(e, r, "--volumes-from %.100s", words->v[i]);
	}
	return 0;
}

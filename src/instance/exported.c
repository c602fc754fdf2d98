/* exported.c - an instance with its snapshots as a document */
#include "instance/exported.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "oci/digest.h"

static const struct jfield volume_fields[] = {
	JR(J_STR, struct exported_volume, name, "name"),
	JR(J_STR, struct exported_volume, image, "image"),
	J(J_BOOL, struct exported_volume, fresh),
	{ 0 },
};
static const struct jtable exported_volume_table = { sizeof(struct exported_volume), volume_fields };

static const struct jfield state_fields[] = {
	J(J_STR, struct exported_state, name),
	J(J_STR, struct exported_state, parent),
	J(J_STR, struct exported_state, image),
	J(J_STR, struct exported_state, description),
	JK(J_I64, struct exported_state, created_ns, "created"),
	JK(J_I64, struct exported_state, expires_ns, "expires"),
	J(J_BOOL, struct exported_state, automatic),
	J(J_BOOL, struct exported_state, live),
	J(J_BOOL, struct exported_state, memory),
	JO(struct exported_state, spec, "spec", &instance_spec_table),
	JA(struct exported_state, volumes, n_volumes, "volumes", &exported_volume_table),
	{ 0 },
};
static const struct jtable state_table = { sizeof(struct exported_state), state_fields };

static const struct jfield exported_fields[] = {
	JR(J_INT, struct exported, version, "version"),
	JO(struct exported, now, "now", &state_table),
	JA(struct exported, snapshots, n_snapshots, "snapshots", &state_table),
	{ 0 },
};
const struct jtable exported_table = { sizeof(struct exported), exported_fields };

void exported_done(struct exported *x)
{
	json_done(&exported_table, x);
}

/* --- one state */

static bool is_digest(const char *text)
{
	struct digest d;

	return text && digest_parse(text, &d) == 0;
}

static int check_volumes(const struct exported_state *s, struct err *e)
{
	for (size_t i = 0; i < s->n_volumes; i++) {
		const char *name = s->volumes[i].name;

		if (!is_instance_name(name) || !is_digest(s->volumes[i].image))
			return err_set(e, EINVAL, "volume '%.80s': a bad name, or no image", name);
		for (size_t k = 0; k < i; k++)
			if (!strcmp(name, s->volumes[k].name))
				return err_set(e, EINVAL, "volume %s is there twice", name);
	}
	return 0;
}

int exported_check_spec(const struct instance_spec *spec, struct err *e)
{
	unsigned char id[32];

	if (!spec->id || hex_decode(spec->id, sizeof(id), id) < 0 ||
	    !is_instance_name(spec->name ? spec->name : "") || !spec->process.args.n)
		return err_set(e, EINVAL, "its configuration has no id, name or command");
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (!spec->mounts[i].target || *spec->mounts[i].target != '/' ||
		    (spec->mounts[i].type != MOUNT_TMPFS && !spec->mounts[i].source))
			return err_set(e, EINVAL, "a mount without a place or a source");
	for (size_t i = 0; i < spec->net.n_attachments; i++)
		if (!spec->net.attachments[i].network_name)
			return err_set(e, EINVAL, "a network without a name");
	if (spec->sandbox.auto_ids && (!spec->sandbox.uid_maps.n || !spec->sandbox.gid_maps.n))
		return err_set(e, EINVAL, "--userns auto without IDs");
	return 0;
}

static int check_state(const struct exported_state *s, struct err *e)
{
	int r = exported_check_spec(&s->spec, e);

	return r < 0 ? r : check_volumes(s, e);
}

/* --- all of them */

static const struct exported_state *find(const struct exported *x, const char *name)
{
	for (size_t i = 0; i < x->n_snapshots; i++)
		if (!strcmp(x->snapshots[i].name, name))
			return &x->snapshots[i];
	return NULL;
}

static int check_snapshot(const struct exported *x, const struct exported_state *s, struct err *e)
{
	if (!s->name || !is_snapshot_name(s->name))
		return err_set(e, EINVAL, "bad name '%.80s'", s->name ? s->name : "");
	if (!is_digest(s->image))
		return err_set(e, EINVAL, "it names no image");
	if (find(x, s->name) != s)
		return err_set(e, EINVAL, "it is there twice");
	return check_state(s, e);
}

/* Up from a state to one without a parent, in no more steps than there are snapshots. */
static int check_parents(const struct exported *x, const struct exported_state *s, struct err *e)
{
	for (size_t steps = 0; s->parent; steps++) {
		const struct exported_state *parent = find(x, s->parent);

		if (!parent)
			return err_set(e, EINVAL, "there is no snapshot '%.80s' that it went on from",
				       s->parent);
		if (steps > x->n_snapshots)
			return err_set(e, ELOOP, "it went on from itself");
		s = parent;
	}
	return 0;
}

static int check_number(const struct exported *x, struct err *e)
{
	size_t n = 1 + x->n_snapshots + x->now.n_volumes;

	for (size_t i = 0; i < x->n_snapshots; i++)
		n += x->snapshots[i].n_volumes;
	return n > EXPORTED_MOST
		       ? err_set(e, E2BIG, "more than %d snapshots and volumes in them", EXPORTED_MOST)
		       : 0;
}

static int check(const struct exported *x, struct err *e)
{
	int r = check_number(x, e);

	if (r == 0)
		r = check_state(&x->now, e);
	for (size_t i = 0; i < x->n_snapshots && r == 0; i++) {
		r = check_snapshot(x, &x->snapshots[i], e);
		if (r < 0)
			err_wrap(e, r, "snapshot %zu", i + 1);
	}
	/* names are there by now */
	for (size_t i = 0; i < x->n_snapshots && r == 0; i++) {
		r = check_parents(x, &x->snapshots[i], e);
		if (r < 0)
			err_wrap(e, r, "snapshot %s", x->snapshots[i].name);
	}
	return r == 0 ? check_parents(x, &x->now, e) : r;
}

int exported_parse(const char *text, size_t n, struct exported *ret, struct err *e)
{
	struct exported x = { 0 };
	int r = json_parse(&exported_table, text, n, JSON_UNIQUE, &x, e);

	if (r == 0 && x.version != EXPORTED_VERSION)
		r = err_set(e, EINVAL, "it is of version %d, and this ketch knows version %d", x.version,
			    EXPORTED_VERSION);
	if (r == 0)
		r = check(&x, e);
	if (r < 0)
		exported_done(&x);
	else
		*ret = x;
	return r;
}

/* request_mounts.c - -v, --mount, --tmpfs and the image's VOLUMEs -> spec.mounts */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/mount_words.h"
#include "engine/request.h"
#include "engine/request_int.h"

/* --- -v */

static bool is_path(const char *s)
{
	return *s == '/' || !strncmp(s, "./", 2) || !strncmp(s, "../", 3) || !strcmp(s, ".") ||
	       !strcmp(s, "..");
}

static int apply_words(struct mount_spec *m, const char *list, struct err *e)
{
	AUTO(strv_done) struct strv words = { 0 };
	int r = strv_split(&words, list, ",") < 0 ? err_set(e, ENOMEM, "out of memory") : 0;

	for (size_t i = 0; i < words.n && r == 0; i++)
		r = mount_apply_word(m, words.v[i], e);
	return r;
}

int request_volume(const char *text, struct mount_spec *ret, struct err *e)
{
	AUTO(strv_done) struct strv part = { 0 };
	bool bind;
	int r = strv_split(&part, text, ":");

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (part.n > 3)
		return err_set(e, EINVAL, "'%.200s' is not SOURCE:TARGET[:OPTIONS]", text);
	bind = part.n > 1 && is_path(part.v[0]);
	r = mount_set_target(ret, bind ? MOUNT_BIND : MOUNT_VOLUME, part.v[part.n > 1], e);
	if (r == 0 && part.n > 1 && !*part.v[0])
		r = err_set(e, EINVAL, "'%.200s' has no source", text);
	if (r == 0)
		r = bind ? mount_set_bind(ret, part.v[0], e)
			 : mount_set_volume(ret, part.n > 1 ? part.v[0] : NULL, e);
	return r == 0 && part.n == 3 ? apply_words(ret, part.v[2], e) : r;
}

/* --- --tmpfs */

/* Podman's words for what Docker's has not got; all others are checked where it is mounted. */
static int tmpfs_word(struct mount_spec *m, const char *word, struct err *e)
{
	if (!strcmp(word, "tmpcopyup") || !strcmp(word, "notmpcopyup")) {
		m->copy_up = *word == 't';
		return 0;
	}
	return *word ? mount_add_option(m, word, e) : 0;
}

static int parse_tmpfs(const char *text, struct mount_spec *ret, struct err *e)
{
	AUTO(strv_done) struct strv words = { 0 };
	const char *colon = strchr(text, ':');
	autofree char *target = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	int r;

	if (!target || (colon && strv_split(&words, colon + 1, ",") < 0))
		return err_set(e, ENOMEM, "out of memory");
	r = mount_set_target(ret, MOUNT_TMPFS, target, e);
	for (size_t i = 0; i < words.n && r == 0; i++)
		r = tmpfs_word(ret, words.v[i], e);
	return r;
}

/* --- all together */

/* The mount with this target, or NULL. */
static struct mount_spec *find_target(const struct instance_spec *s, const char *target)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!strcmp(s->mounts[i].target, target))
			return &s->mounts[i];
	return NULL;
}

static struct mount_spec *next_mount(struct instance_spec *s)
{
	struct mount_spec *m = reallocarray(s->mounts, s->n_mounts + 1, sizeof(*m));

	if (!m)
		return NULL;
	s->mounts = m;
	m += s->n_mounts++;
	*m = (struct mount_spec){ 0 };
	return m;
}

/* The last mount of s was just parsed: if another instance's is at its place (one of the first n), it goes there; if
 * one of this request's, that is one too many.  Returns what is left to be done with the last one: nothing. */
static int settle_target(struct instance_spec *s, size_t inherited, struct err *e)
{
	struct mount_spec *last = &s->mounts[s->n_mounts - 1], *there = find_target(s, last->target), swap;

	if (there == last)
		return 0;
	if (there >= s->mounts + inherited)
		return err_set(e, EINVAL, "duplicate mount target '%.200s'", last->target);
	swap = *there;
	*there = *last;
	*last = swap;
	return 1;
}

typedef int (*mount_parser)(const char *text, struct mount_spec *ret, struct err *e);

/* The last mount goes; its members are freed by way of a spec that has only it. */
static void drop_last(struct instance_spec *s)
{
	struct instance_spec only = { .mounts = calloc(1, sizeof(*only.mounts)), .n_mounts = 1 };

	s->n_mounts--;
	if (!only.mounts)
		return;
	*only.mounts = s->mounts[s->n_mounts];
	json_done(&instance_spec_table, &only);
}

static int add_mounts(struct instance_spec *s, const struct strv *texts, size_t inherited, const char *flag,
		      mount_parser parse, struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct mount_spec *m = next_mount(s);
		int r = m ? parse(texts->v[i], m, e) : err_set(e, ENOMEM, "out of memory");

		if (r == 0)
			r = settle_target(s, inherited, e);
		if (r < 0)
			return err_wrap(e, r, "%s", flag);
		if (r > 0)
			drop_last(s);
	}
	return 0;
}

/* VOLUMEs of the image become volumes of the instance unless the user mounts something there. */
static int add_image_volumes(struct instance_spec *s, const struct strv *volumes, struct err *e)
{
	for (size_t i = 0; i < volumes->n; i++) {
		struct mount_spec *m = next_mount(s);
		int r = m ? request_volume(volumes->v[i], m, e) : err_set(e, ENOMEM, "out of memory");

		if (r < 0)
			return err_wrap(e, r, "VOLUME of the image");
		if (find_target(s, m->target) != m)
			drop_last(s);
	}
	return 0;
}

/* Podman's: what a program expects to be able to write to below a read-only root. */
static const char *const below_read_only[] = { "/run:tmpcopyup", "/tmp:tmpcopyup", "/var/tmp:tmpcopyup",
					       NULL };
/* What an init system finds empty when it begins. */
static const char *const of_system[] = { "/run:mode=755", "/run/lock:mode=1777", "/tmp:mode=1777,exec",
					 NULL };

/* Where nothing else is mounted. */
static int add_usual_tmpfs(struct instance_spec *s, const char *const *places, struct err *e)
{
	for (; *places; places++) {
		struct mount_spec *m = next_mount(s);
		int r = m ? parse_tmpfs(*places, m, e) : err_set(e, ENOMEM, "out of memory");

		if (r < 0)
			return r;
		if (find_target(s, m->target) != m)
			drop_last(s);
	}
	return 0;
}

int request_mounts(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		   struct err *e)
{
	size_t inherited = s->n_mounts;
	int r = add_mounts(s, &rq->volumes, inherited, "-v", request_volume, e);

	if (r == 0)
		r = add_mounts(s, &rq->mounts, inherited, "--mount", request_mount, e);
	if (r == 0)
		r = add_mounts(s, &rq->tmpfs, inherited, "--tmpfs", parse_tmpfs, e);
	if (r == 0)
		r = add_image_volumes(s, &c->volumes, e);
	if (r == 0 && rq->sandbox.system)
		r = add_usual_tmpfs(s, of_system, e);
	if (r == 0 && rq->read_only && rq->read_only_tmpfs)
		r = add_usual_tmpfs(s, below_read_only, e);
	return r;
}

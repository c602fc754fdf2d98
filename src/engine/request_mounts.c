/* request_mounts.c - -v, --tmpfs and the image's VOLUMEs -> spec.mounts */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "engine/request.h"
#include "engine/request_int.h"

static int check_target(const char *target, struct err *e)
{
	if (*target != '/')
		return err_set(e, EINVAL, "the mount target '%.200s' is not an absolute path", target);
	if (target[strspn(target, "/.")] == '\0')
		return err_set(e, EINVAL, "the mount target '%.200s' is the root", target);
	return 0;
}

static int volume_option(const char *opt, struct mount_spec *ret, struct err *e)
{
	if (!strcmp(opt, "ro"))
		ret->read_only = true;
	else if (strcmp(opt, "rw") && strcmp(opt, "z") && strcmp(opt, "Z"))
		return err_set(e, EINVAL, "unknown option '%.40s' (ro and rw are known)", opt);
	return 0;
}

static int set_mount(struct mount_spec *ret, int type, const char *source, const char *target, struct err *e)
{
	int r = check_target(target, e);

	if (r < 0)
		return r;
	ret->type = type;
	ret->source = source ? strdup(source) : NULL;
	ret->target = strdup(target);
	return !ret->target || (source && !ret->source) ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int bind_source(const char *src, char **ret, struct err *e)
{
	if (*src != '/' && strncmp(src, "./", 2) && strncmp(src, "../", 3) && strcmp(src, ".") &&
	    strcmp(src, ".."))
		return err_set(e, EINVAL,
			       "'%.200s' is not a path (/... or ./...), and there are no named volumes yet",
			       src);
	*ret = realpath(src, NULL);
	return *ret ? 0 : err_sys(e, errno, "%.200s", src);
}

int request_volume(const char *text, struct mount_spec *ret, struct err *e)
{
	AUTO(strv_done) struct strv part = { 0 };
	autofree char *source = NULL;
	struct stat st = { 0 };
	int r = strv_split(&part, text, ":");

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (part.n == 1) {
		ret->copy_up = true;
		return set_mount(ret, MOUNT_VOLUME, NULL, text, e);
	}
	if (part.n > 3)
		return err_set(e, EINVAL, "'%.200s' is not SOURCE:TARGET[:ro]", text);
	if (part.n == 3)
		r = volume_option(part.v[2], ret, e);
	if (r == 0)
		r = bind_source(part.v[0], &source, e);
	if (r == 0 && stat(source, &st) < 0)
		r = err_sys(e, errno, "%.200s", source);
	if (r < 0)
		return r;
	ret->is_file = !S_ISDIR(st.st_mode);
	return set_mount(ret, MOUNT_BIND, source, part.v[1], e);
}

static int parse_tmpfs(const char *text, struct mount_spec *ret, struct err *e)
{
	const char *colon = strchr(text, ':');
	autofree char *target = strndup(text, colon ? (size_t)(colon - text) : strlen(text));
	int r;

	if (!target)
		return err_set(e, ENOMEM, "out of memory");
	r = set_mount(ret, MOUNT_TMPFS, NULL, target, e);
	if (r == 0 && colon && colon[1]) {
		ret->options = strdup(colon + 1);
		r = ret->options ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	return r;
}

/* Among the first n mounts. */
static bool has_target(const struct instance_spec *s, size_t n, const char *target)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(s->mounts[i].target, target))
			return true;
	return false;
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

typedef int (*mount_parser)(const char *text, struct mount_spec *ret, struct err *e);

static int add_mounts(struct instance_spec *s, const struct strv *texts, const char *flag, mount_parser parse,
		      struct err *e)
{
	for (size_t i = 0; i < texts->n; i++) {
		struct mount_spec *m = next_mount(s);
		int r = m ? parse(texts->v[i], m, e) : err_set(e, ENOMEM, "out of memory");

		if (r == 0 && has_target(s, s->n_mounts - 1, m->target))
			r = err_set(e, EINVAL, "duplicate mount target '%.200s'", m->target);
		if (r < 0)
			return err_wrap(e, r, "%s", flag);
	}
	return 0;
}

/* VOLUMEs of the image become volumes of the instance unless the user mounts something there. */
static int add_image_volumes(struct instance_spec *s, const struct strv *volumes, struct err *e)
{
	for (size_t i = 0; i < volumes->n; i++) {
		struct mount_spec *m;
		int r;

		if (has_target(s, s->n_mounts, volumes->v[i]))
			continue;
		m = next_mount(s);
		if (!m)
			return err_set(e, ENOMEM, "out of memory");
		m->copy_up = true;
		r = set_mount(m, MOUNT_VOLUME, NULL, volumes->v[i], e);
		if (r < 0)
			return err_wrap(e, r, "VOLUME of the image");
	}
	return 0;
}

/* Volumes are directories of the instance: named by their place in the list. */
static int name_volumes(struct instance_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		if (s->mounts[i].type != MOUNT_VOLUME)
			continue;
		s->mounts[i].source = str_printf("%zu", i);
		if (!s->mounts[i].source)
			return err_set(e, ENOMEM, "out of memory");
	}
	return 0;
}

int request_mounts(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		   struct err *e)
{
	int r = add_mounts(s, &rq->volumes, "-v", request_volume, e);

	if (r == 0)
		r = add_mounts(s, &rq->tmpfs, "--tmpfs", parse_tmpfs, e);
	if (r == 0)
		r = add_image_volumes(s, &c->volumes, e);
	return r == 0 ? name_volumes(s, e) : r;
}

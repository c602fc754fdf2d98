/* request_namespaces.c - --ipc, --pid, --uts, --cgroupns, --userns, --uidmap, --gidmap, --cgroup-parent */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "engine/request_int.h"

#define CONTAINER "container:"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- modes */

struct ns_flag {
	const char *name, *text; /* text NULL: not given */
	struct ns_spec *into;
	unsigned modes; /* bits of enum ns_mode that it can have */
};

#define MODE(m) (1U << (m))

static int take_mode(const struct ns_flag *f, struct err *e)
{
	const char *text = f->text;
	size_t n = strlen(CONTAINER);

	if (!text || !*text)
		return 0;
	if (f->modes & MODE(NS_CONTAINER) && !strncmp(text, CONTAINER, n) && text[n]) {
		f->into->mode = NS_CONTAINER;
		f->into->of = strdup(text + n);
		return f->into->of ? 0 : no_memory(e);
	}
	for (int m = 0; m < NS_MODE_N; m++) {
		if (m == NS_CONTAINER || !(f->modes & MODE(m)) || strcmp(ns_mode_names[m], text))
			continue;
		f->into->mode = m;
		return 0;
	}
	return err_set(e, EINVAL, "%s: invalid mode '%.60s'", f->name, text);
}

/* Whose host name is seen: that of the namespace, which is not ours to change. */
static int take_hostname(const struct run_request *rq, struct instance_spec *s, struct err *e)
{
	char name[65] = "";

	if (s->sandbox.uts.mode == NS_PRIVATE)
		return 0;
	if (rq->hostname || rq->sandbox.domainname)
		return err_set(e, EINVAL, "--uts %s and %s exclude each other",
			       ns_mode_names[s->sandbox.uts.mode],
			       rq->hostname ? "--hostname" : "--domainname");
	if (s->sandbox.uts.mode == NS_HOST && gethostname(name, sizeof(name) - 1) == 0 && *name)
		s->hostname = strdup(name);
	return 0;
}

/* --- users */

/* "INSIDE:OUTSIDE:COUNT" */
static int take_map(const char *flag, const char *text, struct oci_id_mapping *ret, struct err *e)
{
	AUTO(strv_done) struct strv f = { 0 };

	if (strv_split(&f, text, ":") < 0)
		return no_memory(e);
	if (f.n != 3 || parse_u32(f.v[0], &ret->container_id) < 0 || parse_u32(f.v[1], &ret->host_id) < 0 ||
	    parse_u32(f.v[2], &ret->size) < 0)
		return err_set(e, EINVAL, "%s: '%.80s' is not INSIDE:OUTSIDE:COUNT", flag, text);
	return 0;
}

static bool maps_root(const struct id_maps *m)
{
	for (size_t i = 0; i < m->n; i++)
		if (m->v[i].container_id == 0)
			return true;
	return false;
}

static int take_maps(const char *flag, const struct strv *texts, struct id_maps *ret, struct err *e)
{
	int r = 0;

	ret->v = calloc(texts->n + 1, sizeof(*ret->v));
	if (!ret->v)
		return no_memory(e);
	for (size_t i = 0; i < texts->n && r == 0; i++) {
		r = take_map(flag, texts->v[i], &ret->v[i], e);
		ret->n = i + 1;
	}
	if (r == 0)
		r = oci_check_mappings(e, ret->v, ret->n, "%s", flag);
	if (r == 0 && !maps_root(ret))
		r = err_set(e, EINVAL, "%s: ID 0, which makes the inside, is not mapped", flag);
	if (r == 0 && ret->n > SANDBOX_MAPS_MAX)
		r = err_set(e, E2BIG, "%s: more than %d maps", flag, SANDBOX_MAPS_MAX);
	return r;
}

/* One without the other holds for both. */
static int take_all_maps(const struct sandbox_request *rq, struct instance_spec *s, struct err *e)
{
	const struct strv *uids = rq->uid_maps.n ? &rq->uid_maps : &rq->gid_maps;
	const struct strv *gids = rq->gid_maps.n ? &rq->gid_maps : &rq->uid_maps;
	int r = 0;

	if (!uids->n)
		return 0;
	if (rq->userns && strcmp(rq->userns, "private"))
		return err_set(e, EINVAL, "--userns %.40s and --uidmap, --gidmap exclude each other",
			       rq->userns);
	s->userns = true;
	r = take_maps(rq->uid_maps.n ? "--uidmap" : "--gidmap", uids, &s->sandbox.uid_maps, e);
	return r < 0 ? r : take_maps(rq->gid_maps.n ? "--gidmap" : "--uidmap", gids, &s->sandbox.gid_maps, e);
}

/* "auto" or "auto:size=N". */
static int take_auto(const char *text, struct instance_spec *s, struct err *e)
{
	struct oci_id_mapping map = { .size = USERNS_AUTO_IDS };

	if (!strncmp(text, ":size=", 6) &&
	    (parse_u32(text + 6, &map.size) < 0 || map.size < 1 || map.size > USERNS_AUTO_IDS))
		return err_set(e, EINVAL, "--userns auto: the size is 1 to %u", USERNS_AUTO_IDS);
	if (*text && strncmp(text, ":size=", 6))
		return err_set(e, EINVAL, "--userns auto: unknown option '%.60s'", text + 1);
	s->sandbox.uid_maps.v = calloc(1, sizeof(map));
	s->sandbox.gid_maps.v = calloc(1, sizeof(map));
	if (!s->sandbox.uid_maps.v || !s->sandbox.gid_maps.v)
		return no_memory(e);
	*s->sandbox.uid_maps.v = *s->sandbox.gid_maps.v = map; /* the first ID: userns_choose */
	s->sandbox.uid_maps.n = s->sandbox.gid_maps.n = 1;
	s->sandbox.auto_ids = true;
	return 0;
}

static int take_users(const struct sandbox_request *rq, struct instance_spec *s, struct err *e)
{
	const char *mode = rq->userns;

	if (!mode || !*mode || !strcmp(mode, "host"))
		return 0;
	if (!strcmp(mode, "keep-id") || !strcmp(mode, "nomap") || !strncmp(mode, "keep-id:", 8))
		return err_set(e, ENOTSUP, "--userns %.40s is for callers other than root; auto is not",
			       mode);
	s->userns = true;
	if (!strncmp(mode, "auto", 4) && (!mode[4] || mode[4] == ':'))
		return take_auto(mode + 4, s, e);
	return strcmp(mode, "private")
		       ? err_set(e, EINVAL, "--userns: invalid mode '%.60s': host, private or auto", mode)
		       : 0;
}

/* --- cgroup */

static int take_parent(const char *path, struct sandbox *b, struct err *e)
{
	AUTO(strv_done) struct strv parts = { 0 };
	AUTO(buf_done) struct buf clean = { 0 };

	if (!path || !*path)
		return 0;
	if (strv_split(&parts, path, "/") < 0)
		return no_memory(e);
	for (size_t i = 0; i < parts.n; i++) {
		if (!strcmp(parts.v[i], "..") || strpbrk(parts.v[i], "\n"))
			return err_set(e, EINVAL, "--cgroup-parent: '%.100s' is no path of a cgroup", path);
		if (*parts.v[i] && strcmp(parts.v[i], "."))
			buf_addf(&clean, "/%s", parts.v[i]);
	}
	if (clean.len > 200)
		return err_set(e, EINVAL, "--cgroup-parent: the path is too long");
	b->cgroup_parent = clean.len ? buf_take(&clean) : strdup("");
	return b->cgroup_parent ? 0 : no_memory(e);
}

/* --- all */

/* A user namespace has no right to what belongs to another one. */
static int check_users(const struct instance_spec *s, struct err *e)
{
	const struct sandbox *b = &s->sandbox;
	const struct {
		const char *flag;
		const struct ns_spec *ns;
	} rows[] = { { "--ipc", &b->ipc }, { "--pid", &b->pid }, { "--uts", &b->uts } };

	for (size_t i = 0; i < ARRAY_LEN(rows) && s->userns; i++)
		if (ns_is_shared(rows[i].ns))
			return err_set(e, EINVAL, "%s %s and --userns exclude each other", rows[i].flag,
				       ns_mode_names[rows[i].ns->mode]);
	return 0;
}

int request_namespaces(const struct run_request *rq, struct instance_spec *s, struct err *e)
{
	const unsigned usual = MODE(NS_PRIVATE) | MODE(NS_HOST);
	const struct sandbox_request *srq = &rq->sandbox;
	struct sandbox *b = &s->sandbox;
	const struct ns_flag flags[] = {
		{ "--ipc", srq->ipc, &b->ipc,
		  usual | MODE(NS_CONTAINER) | MODE(NS_SHAREABLE) | MODE(NS_NONE) },
		{ "--pid", srq->pid, &b->pid, usual | MODE(NS_CONTAINER) },
		{ "--uts", srq->uts, &b->uts, usual | MODE(NS_CONTAINER) },
		{ "--cgroupns", srq->cgroupns, &b->cgroup, usual },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(flags) && r == 0; i++)
		r = take_mode(&flags[i], e);
	if (r == 0)
		r = take_users(srq, s, e);
	if (r == 0)
		r = take_all_maps(srq, s, e);
	if (r == 0)
		r = check_users(s, e);
	if (r == 0 && rq->init && ns_is_shared(&b->pid))
		r = err_set(e, EINVAL, "--init and --pid %s exclude each other: it would not be process 1",
			    ns_mode_names[b->pid.mode]);
	if (r == 0)
		r = take_parent(srq->cgroup_parent, b, e);
	return r == 0 ? take_hostname(rq, s, e) : r;
}

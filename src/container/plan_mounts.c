/* plan_mounts.c - binds, volumes and tmpfs of the user, and the options of a tmpfs; pure */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "container/plan_int.h"

/* Options that are the mount's, not the file system's. */
static const struct {
	const char *name;
	uint64_t set, clear;
} attributes[] = {
	{ "ro", MOUNT_ATTR_RDONLY, 0 },
	{ "rw", 0, MOUNT_ATTR_RDONLY },
	{ "nosuid", MOUNT_ATTR_NOSUID, 0 },
	{ "suid", 0, MOUNT_ATTR_NOSUID },
	{ "nodev", MOUNT_ATTR_NODEV, 0 },
	{ "dev", 0, MOUNT_ATTR_NODEV },
	{ "noexec", MOUNT_ATTR_NOEXEC, 0 },
	{ "exec", 0, MOUNT_ATTR_NOEXEC },
	{ "noatime", MOUNT_ATTR_NOATIME, 0 },
	{ "relatime", 0, 0 },
	{ "nodiratime", MOUNT_ATTR_NODIRATIME, 0 },
	{ "diratime", 0, MOUNT_ATTR_NODIRATIME },
	{ "strictatime", MOUNT_ATTR_STRICTATIME, 0 },
	{ "defaults", 0, 0 },
};

static bool take_attribute(const char *opt, uint64_t *flags)
{
	for (size_t i = 0; i < ARRAY_LEN(attributes); i++) {
		if (!strcmp(attributes[i].name, opt)) {
			*flags = (*flags | attributes[i].set) & ~attributes[i].clear;
			return true;
		}
	}
	return false;
}

static bool is_tmpfs_option(const char *opt)
{
	static const char *const keys[] = { "size=", "mode=", "uid=", "gid=", "nr_inodes=", "nr_blocks=" };

	for (size_t i = 0; i < ARRAY_LEN(keys); i++) {
		size_t n = strlen(keys[i]);

		/* the kernel checks the value; here only that it is one */
		if (!strncmp(keys[i], opt, n) && opt[n] &&
		    strspn(opt + n, "0123456789kKmMgG%") == strlen(opt + n))
			return true;
	}
	return false;
}

static void add_tmpfs(struct planner *pl, const struct mount_spec *m)
{
	uint64_t flags = MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC |
			 (m->read_only ? MOUNT_ATTR_RDONLY : 0);
	AUTO(strv_done) struct strv opts = { 0 };
	AUTO(buf_done) struct buf b = { 0 };

	if (strv_split(&opts, m->options ? m->options : "", ",") < 0)
		pl->r = err_set(pl->e, ENOMEM, "out of memory");
	if (!m->options || !strstr(m->options, "mode="))
		buf_adds(&b, "mode=1777");
	for (size_t i = 0; i < opts.n && pl->r == 0; i++) {
		if (!*opts.v[i] || take_attribute(opts.v[i], &flags))
			continue;
		if (is_tmpfs_option(opts.v[i]))
			buf_addf(&b, "%s%s", b.len ? "," : "", opts.v[i]);
		else
			pl->r = err_set(pl->e, EINVAL, "--tmpfs %s: unknown option \"%s\"", m->target,
					opts.v[i]);
	}
	plan_step(pl, &op_tmpfs, m->target, m->copy_up ? "image" : NULL, b.data, flags);
}

/* The words that op_source_open knows. */
void plan_source(struct planner *pl, const struct mount_spec *m, const char *from)
{
	AUTO(strv_done) struct strv opts = { 0 };
	AUTO(buf_done) struct buf words = { 0 };
	uint64_t flags = m->read_only ? MOUNT_ATTR_RDONLY : 0;

	if (strv_split(&opts, m->options ? m->options : "", ",") < 0)
		pl->r = err_set(pl->e, ENOMEM, "out of memory");
	for (size_t i = 0; i < opts.n && pl->r == 0; i++)
		if (*opts.v[i] && !take_attribute(opts.v[i], &flags))
			pl->r = err_set(pl->e, EINVAL, "mount of %s: unknown option \"%s\"", m->target,
					opts.v[i]);
	buf_adds(&words, m->type == MOUNT_VOLUME ? ",volume" : "");
	buf_adds(&words, m->shallow ? ",shallow" : "");
	buf_adds(&words, m->read_only_top ? ",top" : "");
	if (m->propagation)
		buf_addf(&words, ",%s", m->propagation);
	plan_step(pl, &op_source_open, m->target, from, words.len ? words.data + 1 : NULL, flags);
}

static void add_one(struct planner *pl, size_t i)
{
	const struct mount_spec *m = &pl->spec->mounts[i];
	autofree char *from = str_printf("fd:mount/%zu", i);

	if (m->type == MOUNT_TMPFS)
		add_tmpfs(pl, m);
	else
		plan_step(pl, &op_bind, m->target, from, NULL, 0);
}

static size_t depth_of(const struct mount_spec *m)
{
	size_t n = 0;

	for (const char *p = m->target; *p; p++)
		n += *p == '/' && p[1] && p[1] != '/';
	return n;
}

/* Shallow ones first, so that none covers another; among equals in the order they were given. */
void plan_user_mounts(struct planner *pl)
{
	size_t left = pl->spec->n_mounts;

	for (size_t depth = 1; left && pl->r == 0; depth++) {
		for (size_t i = 0; i < pl->spec->n_mounts; i++) {
			if (depth_of(&pl->spec->mounts[i]) != depth)
				continue;
			add_one(pl, i);
			left--;
		}
	}
}

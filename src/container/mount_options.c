/* mount_options.c - the options of an OCI mount: what is the mount's, what the file system's; pure */
#include "container/mount_options.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "base/buf.h"

enum kind { SET, CLEAR, DEEP_SET, DEEP_CLEAR, SUPER, SUPER_CLEAR, PROPAGATE, DEEP_PROPAGATE, OTHER };

static const struct row {
	const char *name;
	enum kind kind;
	uint64_t flag;
} rows[] = {
	{ "async", SUPER_CLEAR, MS_SYNCHRONOUS },
	{ "atime", CLEAR, MOUNT_ATTR_NOATIME },
	{ "bind", OTHER, 0 },
	{ "defaults", OTHER, 0 },
	{ "dev", CLEAR, MOUNT_ATTR_NODEV },
	{ "diratime", CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "dirsync", SUPER, MS_DIRSYNC },
	{ "exec", CLEAR, MOUNT_ATTR_NOEXEC },
	{ "idmap", OTHER, 0 },
	{ "iversion", SUPER, MS_I_VERSION },
	{ "lazytime", SUPER, MS_LAZYTIME },
	{ "loud", SUPER_CLEAR, MS_SILENT },
	{ "mand", SUPER, MS_MANDLOCK },
	{ "noatime", SET, MOUNT_ATTR_NOATIME },
	{ "nodev", SET, MOUNT_ATTR_NODEV },
	{ "nodiratime", SET, MOUNT_ATTR_NODIRATIME },
	{ "noexec", SET, MOUNT_ATTR_NOEXEC },
	{ "noiversion", SUPER_CLEAR, MS_I_VERSION },
	{ "nolazytime", SUPER_CLEAR, MS_LAZYTIME },
	{ "nomand", SUPER_CLEAR, MS_MANDLOCK },
	{ "norelatime", CLEAR, MOUNT_ATTR_RELATIME },
	{ "nostrictatime", CLEAR, MOUNT_ATTR_STRICTATIME },
	{ "nosuid", SET, MOUNT_ATTR_NOSUID },
	{ "nosymfollow", SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "private", PROPAGATE, MS_PRIVATE },
	{ "ratime", DEEP_CLEAR, MOUNT_ATTR_NOATIME },
	{ "rbind", OTHER, 0 },
	{ "rdev", DEEP_CLEAR, MOUNT_ATTR_NODEV },
	{ "rdiratime", DEEP_CLEAR, MOUNT_ATTR_NODIRATIME },
	{ "relatime", SET, MOUNT_ATTR_RELATIME },
	{ "remount", OTHER, 0 },
	{ "rexec", DEEP_CLEAR, MOUNT_ATTR_NOEXEC },
	{ "ridmap", OTHER, 0 },
	{ "rnoatime", DEEP_SET, MOUNT_ATTR_NOATIME },
	{ "rnodev", DEEP_SET, MOUNT_ATTR_NODEV },
	{ "rnodiratime", DEEP_SET, MOUNT_ATTR_NODIRATIME },
	{ "rnoexec", DEEP_SET, MOUNT_ATTR_NOEXEC },
	{ "rnorelatime", DEEP_CLEAR, MOUNT_ATTR_RELATIME },
	{ "rnostrictatime", DEEP_CLEAR, MOUNT_ATTR_STRICTATIME },
	{ "rnosuid", DEEP_SET, MOUNT_ATTR_NOSUID },
	{ "rnosymfollow", DEEP_SET, MOUNT_ATTR_NOSYMFOLLOW },
	{ "ro", SET, MOUNT_ATTR_RDONLY },
	{ "rprivate", DEEP_PROPAGATE, MS_PRIVATE },
	{ "rrelatime", DEEP_SET, MOUNT_ATTR_RELATIME },
	{ "rro", DEEP_SET, MOUNT_ATTR_RDONLY },
	{ "rrw", DEEP_CLEAR, MOUNT_ATTR_RDONLY },
	{ "rshared", DEEP_PROPAGATE, MS_SHARED },
	{ "rslave", DEEP_PROPAGATE, MS_SLAVE },
	{ "rstrictatime", DEEP_SET, MOUNT_ATTR_STRICTATIME },
	{ "rsuid", DEEP_CLEAR, MOUNT_ATTR_NOSUID },
	{ "rsymfollow", DEEP_CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "runbindable", DEEP_PROPAGATE, MS_UNBINDABLE },
	{ "rw", CLEAR, MOUNT_ATTR_RDONLY },
	{ "shared", PROPAGATE, MS_SHARED },
	{ "silent", SUPER, MS_SILENT },
	{ "slave", PROPAGATE, MS_SLAVE },
	{ "strictatime", SET, MOUNT_ATTR_STRICTATIME },
	{ "suid", CLEAR, MOUNT_ATTR_NOSUID },
	{ "symfollow", CLEAR, MOUNT_ATTR_NOSYMFOLLOW },
	{ "sync", SUPER, MS_SYNCHRONOUS },
	{ "tmpcopyup", OTHER, 0 },
	{ "unbindable", PROPAGATE, MS_UNBINDABLE },
};

static int compare_row(const void *name, const void *row)
{
	return strcmp(name, ((const struct row *)row)->name);
}

static const struct row *find_row(const char *name)
{
	return bsearch(name, rows, ARRAY_LEN(rows), sizeof(*rows), compare_row);
}

const char *mount_option_name(size_t i)
{
	return i < ARRAY_LEN(rows) ? rows[i].name : NULL;
}

static bool is_atime(uint64_t flag)
{
	return flag == MOUNT_ATTR_RELATIME || flag == MOUNT_ATTR_NOATIME || flag == MOUNT_ATTR_STRICTATIME;
}

/* Access times are one value in several bits, of which 0 is "relatime": the kernel wants all of them cleared before one
 * is set, and what is no longer wanted becomes "relatime". */
static void change(uint64_t *set, uint64_t *clear, uint64_t flag, bool on)
{
	uint64_t field = is_atime(flag) ? MOUNT_ATTR__ATIME : flag, have = *set & field;

	if (!on && have && have != flag) /* "noatime,nostrictatime" */
		return;
	*set = (*set & ~field) | (on ? flag : 0);
	*clear &= ~field;
	if (!on || is_atime(flag))
		*clear |= field;
}

static int add_propagation(struct mount_options *o, uint64_t type, bool deep)
{
	if (o->n_propagations == MAX_PROPAGATIONS)
		return -E2BIG;
	o->propagations[o->n_propagations++] = (struct propagation){ type, deep };
	return 0;
}

static void take_other(struct mount_options *o, const char *name)
{
	if (!strcmp(name, "bind"))
		o->bind = true;
	else if (!strcmp(name, "rbind"))
		o->bind = o->deep_bind = true;
	else if (!strcmp(name, "remount"))
		o->remount = true;
	else if (!strcmp(name, "tmpcopyup"))
		o->copy_up = true;
	else if (!strcmp(name, "idmap"))
		o->idmap = IDMAP_TOP;
	else if (!strcmp(name, "ridmap"))
		o->idmap = IDMAP_DEEP;
}

static int take_row(struct mount_options *o, const struct row *row)
{
	switch (row->kind) {
	case SET:
	case CLEAR:
		change(&o->set, &o->clear, row->flag, row->kind == SET);
		return 0;
	case DEEP_SET:
	case DEEP_CLEAR:
		change(&o->deep_set, &o->deep_clear, row->flag, row->kind == DEEP_SET);
		return 0;
	case SUPER:
		o->super |= row->flag;
		return 0;
	case SUPER_CLEAR:
		o->super &= ~row->flag;
		return 0;
	case PROPAGATE:
	case DEEP_PROPAGATE:
		return add_propagation(o, row->flag, row->kind == DEEP_PROPAGATE);
	case OTHER:
		break;
	}
	take_other(o, row->name);
	return 0;
}

/* The first option of *rest, cut off; NULL at the end. */
static char *next_option(char **rest)
{
	char *start = *rest, *p = start;
	bool quoted = false;

	if (!start)
		return NULL;
	for (; *p && (quoted || *p != ','); p++) {
		if (*p == '\\' && p[1])
			p++;
		else if (*p == '"')
			quoted = !quoted;
	}
	*rest = *p ? p + 1 : NULL;
	*p = '\0';
	return start;
}

int mount_options_parse(const char *text, struct mount_options *ret)
{
	autofree char *copy = strdup(text);
	AUTO(buf_done) struct buf data = { 0 };
	struct mount_options o = { 0 };
	char *rest = copy, *opt;
	int r = copy ? 0 : -ENOMEM;

	while (r == 0 && (opt = next_option(&rest))) {
		const struct row *row = find_row(opt);

		if (row)
			r = take_row(&o, row);
		else if (*opt)
			buf_addf(&data, "%s%s", data.len ? "," : "", opt);
	}
	if (r == 0)
		r = (o.data = buf_take(&data)) ? 0 : -ENOMEM;
	if (r == 0)
		*ret = o;
	return r;
}

void mount_options_done(struct mount_options *o)
{
	free(o->data);
	*o = (struct mount_options){ 0 };
}

int propagation_parse(const char *name, struct propagation *ret)
{
	const struct row *row = find_row(name);

	if (!row || (row->kind != PROPAGATE && row->kind != DEEP_PROPAGATE))
		return -EINVAL;
	*ret = (struct propagation){ row->flag, row->kind == DEEP_PROPAGATE };
	return 0;
}

/* mount_words.c - what -v, --mount and --tmpfs have in common: sources, targets and the words of a mount */
#include "engine/mount_words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "engine/volume.h"

#define SELINUX_SWITCH "/sys/fs/selinux/enforce" /* it is there where SELinux is on */

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* "/a//b/./../c/" -> "/a/c"; in place. */
static void clean_path(char *path)
{
	char *out = path, *p = path;

	while (*p) {
		size_t n;

		p += strspn(p, "/");
		n = strcspn(p, "/");
		if (n == 2 && !strncmp(p, "..", 2)) {
			while (out > path && *--out != '/')
				;
		} else if (n && !(n == 1 && *p == '.')) {
			*out++ = '/';
			memmove(out, p, n);
			out += n;
		}
		p += n;
	}
	*out = '\0';
}

int mount_set_target(struct mount_spec *m, int type, const char *target, struct err *e)
{
	if (*target != '/')
		return err_set(e, EINVAL, "the mount target '%.200s' is not an absolute path", target);
	m->type = type;
	m->target = strdup(target);
	if (!m->target)
		return no_memory(e);
	clean_path(m->target);
	return *m->target ? 0 : err_set(e, EINVAL, "the mount target '%.200s' is the root", target);
}

int mount_set_bind(struct mount_spec *m, const char *path, struct err *e)
{
	struct stat st;

	m->source = realpath(path, NULL);
	if (!m->source && errno == ENOENT)
		return err_set(
			e, ENOENT,
			"%.200s: no such file or directory (Ketch makes none on the host: mkdir -p it first)",
			path);
	if (!m->source || stat(m->source, &st) < 0)
		return err_sys(e, errno, "%.200s", path);
	m->is_file = !S_ISDIR(st.st_mode);
	return 0;
}

int mount_set_volume(struct mount_spec *m, const char *name, struct err *e)
{
	int r;

	m->copy_up = true;
	if (!name || !*name) {
		m->anonymous = true;
		return 0;
	}
	r = volume_name_check(name, e);
	if (r < 0)
		return r;
	m->source = strdup(name);
	return m->source ? 0 : no_memory(e);
}

int mount_add_option(struct mount_spec *m, const char *option, struct err *e)
{
	char *more = m->options ? str_printf("%s,%s", m->options, option) : strdup(option);

	if (!more)
		return no_memory(e);
	free(m->options);
	m->options = more;
	return 0;
}

/* --- words */

static int do_read_only(struct mount_spec *m, const char *word, struct err *e)
{
	m->read_only = !strcmp(word, "ro");
	return 0;
}

static int do_nothing(struct mount_spec *m, const char *word, struct err *e)
{
	return 0;
}

static int do_copy(struct mount_spec *m, const char *word, struct err *e)
{
	if (m->type != MOUNT_VOLUME)
		return err_set(e, EINVAL, "'%s' is for volumes", word);
	m->copy_up = !strcmp(word, "copy");
	return 0;
}

/* Without SELinux there are no labels to be changed. */
static int do_relabel(struct mount_spec *m, const char *word, struct err *e)
{
	if (access(SELINUX_SWITCH, F_OK) < 0)
		return 0;
	return err_set(e, ENOTSUP,
		       "'%s': Ketch does not change SELinux labels; chcon -Rt container_file_t does it",
		       word);
}

static int do_option(struct mount_spec *m, const char *word, struct err *e)
{
	return mount_add_option(m, word, e);
}

static int do_shallow(struct mount_spec *m, const char *word, struct err *e)
{
	m->shallow = !strcmp(word, "bind");
	return 0;
}

/* With and without "r" they are one: the mounts below a source are as it is. */
static int do_propagation(struct mount_spec *m, const char *word, struct err *e)
{
	if (m->type != MOUNT_BIND)
		return err_set(e, EINVAL, "'%s' is for binds", word);
	free(m->propagation);
	m->propagation = strstr(word, "shared")	 ? strdup(PROPAGATION_SHARED)
			 : strstr(word, "slave") ? strdup(PROPAGATION_SLAVE)
						 : NULL;
	return m->propagation || strstr(word, "private") ? 0 : no_memory(e);
}

static int do_refuse(struct mount_spec *m, const char *word, struct err *e)
{
	return err_set(e, ENOTSUP, "'%s' is not supported: %s", word,
		       !strcmp(word, "U") || !strcmp(word, "chown")
			       ? "change the owner of the source yourself"
		       : !strcmp(word, "O") ? "copy the source into a volume"
					    : "owners are not mapped for a single mount");
}

static const struct {
	const char *word;
	int (*apply)(struct mount_spec *m, const char *word, struct err *e);
} words[] = {
	{ "ro", do_read_only },	      { "rw", do_read_only },
	{ "z", do_relabel },	      { "Z", do_relabel },
	{ "nocopy", do_copy },	      { "copy", do_copy },
	{ "consistent", do_nothing }, { "cached", do_nothing },
	{ "delegated", do_nothing },  { "nosuid", do_option },
	{ "suid", do_option },	      { "nodev", do_option },
	{ "dev", do_option },	      { "noexec", do_option },
	{ "exec", do_option },	      { "bind", do_shallow },
	{ "rbind", do_shallow },      { "private", do_propagation },
	{ "slave", do_propagation },  { "shared", do_propagation },
	{ "rslave", do_propagation }, { "rprivate", do_propagation },
	{ "U", do_refuse },	      { "rshared", do_propagation },
	{ "O", do_refuse },	      { "chown", do_refuse },
	{ "idmap", do_refuse },
};

int mount_apply_word(struct mount_spec *m, const char *word, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(words); i++)
		if (!strcmp(words[i].word, word))
			return words[i].apply(m, word, e);
	return err_set(e, EINVAL, "unknown option '%.40s'", word);
}

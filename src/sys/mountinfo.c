/* mountinfo.c - "36 35 98:0 /root /mount/point rw,noatime master:1 - ext3 /dev/root rw,errors=continue" */
#include "sys/mountinfo.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"

enum { FIELD_ROOT = 3, FIELD_MOUNT_POINT = 4, FIELD_OPTIONAL = 6 };
enum { TAIL_TYPE = 1, TAIL_OPTIONS = 3 }; /* behind the "-" */

static bool is_octal(char c)
{
	return c >= '0' && c <= '7';
}

/* The kernel writes space, tab, newline, backslash and # as \ooo. */
static void unescape(char *s)
{
	char *out = s;

	for (; *s; s++) {
		if (*s == '\\' && is_octal(s[1]) && is_octal(s[2]) && is_octal(s[3]) && s[1] <= '3') {
			*out++ = (char)((s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0'));
			s += 3;
		} else {
			*out++ = *s;
		}
	}
	*out = '\0';
}

static char *copy_path(const char *field)
{
	char *s = strdup(field);

	if (s)
		unescape(s);
	return s;
}

static size_t find_dash(const struct strv *f)
{
	for (size_t i = FIELD_OPTIONAL; i < f->n; i++)
		if (!strcmp(f->v[i], "-"))
			return i;
	return 0;
}

int mount_line_parse(const char *line, struct mount_line *ret)
{
	AUTO(strv_done) struct strv f = { 0 };
	struct mount_line m;
	size_t dash;
	int r = strv_split(&f, line, " ");

	if (r < 0)
		return r;
	dash = find_dash(&f);
	if (!dash || f.n <= dash + TAIL_OPTIONS || f.v[FIELD_ROOT][0] == '\0' ||
	    f.v[FIELD_MOUNT_POINT][0] != '/')
		return -EINVAL;
	m.root = copy_path(f.v[FIELD_ROOT]);
	m.mount_point = copy_path(f.v[FIELD_MOUNT_POINT]);
	m.fs_type = strdup(f.v[dash + TAIL_TYPE]);
	m.super_options = strdup(f.v[dash + TAIL_OPTIONS]);
	if (!m.root || !m.mount_point || !m.fs_type || !m.super_options) {
		mount_line_done(&m);
		return -ENOMEM;
	}
	*ret = m;
	return 0;
}

void mount_line_done(struct mount_line *m)
{
	free(m->root);
	free(m->mount_point);
	free(m->fs_type);
	free(m->super_options);
	*m = (struct mount_line){ 0 };
}

int mount_line_has_option(const struct mount_line *m, const char *option)
{
	size_t n = strlen(option);

	for (const char *s = m->super_options; *s; s += strcspn(s, ",")) {
		if (*s == ',')
			s++;
		if (strcspn(s, ",") == n && !strncmp(s, option, n))
			return 1;
	}
	return 0;
}

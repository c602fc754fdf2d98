/* user.c - THE parser of users: "[name|uid][:group|gid]" and the texts of /etc/passwd and /etc/group */
#include "container/user.h"

#include <ctype.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"

#define ID_MAX	     2147483647u /* Docker's bound: above it ids turn negative in old programs */
#define NAME_MAX_LEN 256

enum { PW_NAME, PW_PASSWORD, PW_UID, PW_GID, PW_GECOS, PW_HOME, PW_SHELL, PW_N };
enum { GR_NAME, GR_PASSWORD, GR_GID, GR_MEMBERS, GR_N };

/* One line, split at its colons. */
struct line {
	const char *field[PW_N];
	size_t len[PW_N];
	size_t n; /* fields; PW_N + 1: too many */
};

struct lines {
	const char *at, *end;
};

void user_done(struct user *u)
{
	free(u->groups);
	free(u->home);
	*u = (struct user){ 0 };
}

static bool all_digits(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!isdigit((unsigned char)s[i]))
			return false;
	return n > 0;
}

static int parse_id(const char *s, size_t n, uint32_t *ret)
{
	char text[16];
	uint32_t v;

	if (!all_digits(s, n))
		return -EINVAL;
	while (n > 1 && *s == '0') {
		s++;
		n--;
	}
	if (n >= sizeof(text))
		return -ERANGE;
	memcpy(text, s, n);
	text[n] = '\0';
	if (parse_u32(text, &v) < 0 || v > ID_MAX)
		return -ERANGE;
	*ret = v;
	return 0;
}

static bool is_text(const char *s, size_t n, const char *text)
{
	return strlen(text) == n && !memcmp(s, text, n);
}

/* The next line that is not empty and not a comment. */
static bool next_line(struct lines *in, struct line *ret)
{
	while (in->at < in->end) {
		const char *nl = memchr(in->at, '\n', (size_t)(in->end - in->at));
		const char *stop = nl ? nl : in->end, *p = in->at;

		in->at = nl ? nl + 1 : in->end;
		if (p == stop || *p == '#')
			continue;
		*ret = (struct line){ 0 };
		for (;;) {
			const char *colon = memchr(p, ':', (size_t)(stop - p));
			const char *to = colon ? colon : stop;

			if (ret->n == PW_N) {
				ret->n++;
				break;
			}
			ret->field[ret->n] = p;
			ret->len[ret->n++] = (size_t)(to - p);
			if (!colon)
				break;
			p = colon + 1;
		}
		return true;
	}
	return false;
}

static struct lines lines_of(const struct buf *b)
{
	return (struct lines){ b->data, b->data ? b->data + b->len : NULL };
}

/* --- passwd */

static int read_passwd_line(const struct line *l, uint32_t *uid, uint32_t *gid, struct err *e)
{
	if (l->n != PW_N || parse_id(l->field[PW_UID], l->len[PW_UID], uid) < 0 ||
	    parse_id(l->field[PW_GID], l->len[PW_GID], gid) < 0)
		return err_set(e, EINVAL, "malformed line of user \"%.*s\" in the passwd file",
			       (int)(l->len[PW_NAME] < 64 ? l->len[PW_NAME] : 64), l->field[PW_NAME]);
	return 0;
}

/* Takes over what the line says; `found` tells whether an earlier one did. */
static int take_passwd_line(const struct line *l, bool found, struct user *u, struct err *e)
{
	uint32_t uid, gid;
	int r = read_passwd_line(l, &uid, &gid, e);

	if (r < 0)
		return r;
	if (found) {
		if (uid != u->uid || gid != u->gid)
			return err_set(e, EINVAL, "the passwd file has two different users \"%.*s\"",
				       (int)l->len[PW_NAME], l->field[PW_NAME]);
		return 0;
	}
	free(u->home);
	u->home = strndup(l->field[PW_HOME], l->len[PW_HOME]);
	u->uid = uid;
	u->gid = gid;
	return u->home ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int find_by_name(const struct buf *passwd, const char *name, struct user *u, struct err *e)
{
	struct lines in = lines_of(passwd);
	bool found = false;
	struct line l;
	int r;

	while (next_line(&in, &l)) {
		if (!is_text(l.field[PW_NAME], l.len[PW_NAME], name))
			continue;
		r = take_passwd_line(&l, found, u, e);
		if (r < 0)
			return r;
		found = true;
	}
	if (!found)
		return err_set(e, ENOENT, "unable to find user %s: no matching entries in passwd file", name);
	return 0;
}

/* The first line with this uid decides, as getpwuid(3) has it; none is fine.  *ret_name borrows from passwd. */
static int find_by_uid(const struct buf *passwd, const char *digits, uint32_t wanted, struct user *u,
		       struct line *ret_line, struct err *e)
{
	struct lines in = lines_of(passwd);
	uint32_t uid;
	struct line l;
	int r;

	u->uid = wanted;
	while (next_line(&in, &l)) {
		bool same_uid =
			l.n > PW_UID && parse_id(l.field[PW_UID], l.len[PW_UID], &uid) == 0 && uid == wanted;

		if (!same_uid && is_text(l.field[PW_NAME], l.len[PW_NAME], digits))
			return err_set(e, EINVAL, "user %s is both a number and the name of another user",
				       digits);
		if (!same_uid || ret_line->n)
			continue;
		r = take_passwd_line(&l, false, u, e);
		if (r < 0)
			return r;
		*ret_line = l;
	}
	return 0;
}

/* --- group */

static int add_group(struct user *u, gid_t gid, struct err *e)
{
	gid_t *g;

	for (size_t i = 0; i < u->n_groups; i++)
		if (u->groups[i] == gid)
			return 0;
	if (u->n_groups == USER_GROUPS_MAX)
		return err_set(e, E2BIG, "more than %d supplementary groups", USER_GROUPS_MAX);
	g = reallocarray(u->groups, u->n_groups + 1, sizeof(*g));
	if (!g)
		return err_set(e, ENOMEM, "out of memory");
	u->groups = g;
	u->groups[u->n_groups++] = gid;
	return 0;
}

static bool has_member(const struct line *l, const char *name, size_t n)
{
	const char *p = l->field[GR_MEMBERS], *end = p + l->len[GR_MEMBERS];

	while (p < end) {
		const char *comma = memchr(p, ',', (size_t)(end - p));
		const char *to = comma ? comma : end;

		if ((size_t)(to - p) == n && !memcmp(p, name, n))
			return true;
		p = to + 1;
	}
	return false;
}

static int group_of_line(const struct line *l, uint32_t *ret, struct err *e)
{
	if (l->n != GR_N || parse_id(l->field[GR_GID], l->len[GR_GID], ret) < 0)
		return err_set(e, EINVAL, "malformed line of group \"%.*s\" in the group file",
			       (int)(l->len[GR_NAME] < 64 ? l->len[GR_NAME] : 64), l->field[GR_NAME]);
	return 0;
}

/* Every group that names the user as a member. */
static int add_groups_of(const struct buf *group, const char *name, size_t n, struct user *u, struct err *e)
{
	struct lines in = lines_of(group);
	struct line l;
	uint32_t gid;
	int r;

	while (next_line(&in, &l)) {
		if (l.n < GR_N || !has_member(&l, name, n))
			continue;
		r = group_of_line(&l, &gid, e);
		if (r == 0)
			r = add_group(u, gid, e);
		if (r < 0)
			return r;
	}
	return 0;
}

/* A gid or the name of a group that the file must have. */
static int find_group(const struct buf *group, const char *name, gid_t *ret, struct err *e)
{
	struct lines in = lines_of(group);
	bool found = false, digits = all_digits(name, strlen(name));
	uint32_t gid, other;
	struct line l;
	int r;

	if (!*name)
		return err_set(e, EINVAL, "invalid group \"\"");
	if (digits && parse_id(name, strlen(name), &gid) < 0)
		return err_set(e, ERANGE, "gid %s is not in the range 0-%u", name, ID_MAX);
	while (next_line(&in, &l)) {
		if (!is_text(l.field[GR_NAME], l.len[GR_NAME], name))
			continue;
		r = group_of_line(&l, &other, e);
		if (r < 0)
			return r;
		if ((found || digits) && other != gid)
			return err_set(e, EINVAL, "group %s is not clear: the group file has more than one",
				       name);
		gid = other;
		found = true;
	}
	if (!found && !digits)
		return err_set(e, ENOENT, "unable to find group %s: no matching entries in group file", name);
	*ret = gid;
	return 0;
}

/* --- the whole */

static int check_file(const struct buf *b, const char *name, struct err *e)
{
	if (b->len && memchr(b->data, '\0', b->len))
		return err_set(e, EINVAL, "the %s file holds a NUL byte", name);
	return 0;
}

static int find_user(const char *name, const struct buf *passwd, struct user *u, struct line *ret_line,
		     struct err *e)
{
	size_t n = strlen(name);
	uint32_t uid;

	if (!all_digits(name, n)) {
		*ret_line = (struct line){ .field = { name }, .len = { n }, .n = 1 };
		return find_by_name(passwd, name, u, e);
	}
	if (parse_id(name, n, &uid) < 0)
		return err_set(e, ERANGE, "uid %s is not in the range 0-%u", name, ID_MAX);
	return find_by_uid(passwd, name, uid, u, ret_line, e);
}

static int parse_into(const char *name, const char *group_name, const struct strv *groups,
		      const struct buf *files[2], struct user *u, struct err *e)
{
	struct line l = { 0 };
	int r = find_user(name, files[0], u, &l, e);

	if (r == 0 && group_name)
		r = find_group(files[1], group_name, &u->gid, e);
	else if (r == 0 && l.n)
		r = add_groups_of(files[1], l.field[PW_NAME], l.len[PW_NAME], u, e);
	/* also the primary group: without it a set-gid program could shed it and pass a file that the group is
	 * denied (CVE-2022-36109) */
	if (r == 0)
		r = add_group(u, u->gid, e);
	for (size_t i = 0; i < groups->n && r == 0; i++) {
		gid_t gid;

		r = find_group(files[1], groups->v[i], &gid, e);
		if (r == 0)
			r = add_group(u, gid, e);
	}
	if (r == 0 && (!u->home || *u->home != '/')) {
		free(u->home);
		u->home = strdup("/");
		r = u->home ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	return r;
}

int user_parse(const char *spec, const struct strv *groups, const struct buf *passwd, const struct buf *group,
	       struct user *ret, struct err *e)
{
	const struct buf *files[2] = { passwd, group };
	autofree char *name = strdup(spec && *spec ? spec : "0");
	char *colon = name ? strchr(name, ':') : NULL;
	struct user u = { .uid = (uid_t)-1, .gid = 0 };
	int r;

	if (!name)
		return err_set(e, ENOMEM, "out of memory");
	if (colon)
		*colon = '\0';
	if ((colon && (!colon[1] || strchr(colon + 1, ':'))) || strlen(name) > NAME_MAX_LEN ||
	    (colon && strlen(colon + 1) > NAME_MAX_LEN) || strpbrk(name, "\n/,"))
		return err_set(e, EINVAL, "invalid user \"%.80s\"", spec);
	r = check_file(passwd, "passwd", e);
	if (r == 0)
		r = check_file(group, "group", e);
	if (r == 0)
		r = parse_into(*name ? name : "0", colon ? colon + 1 : NULL, groups, files, &u, e);
	if (r < 0) {
		user_done(&u);
		return r;
	}
	*ret = u;
	return 0;
}

/* lookaside.c - where GPG signatures of an image lie: registries.d */
#include "registry/lookaside.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"

#define SYSTEM_DIR "/etc/containers/registries.d"
#define USER_DIR   ".config/containers/registries.d"
#define DEPTH_MAX  3 /* docker: SCOPE: lookaside: */

void lookasides_done(struct lookasides *l)
{
	strv_done(&l->now);
	strv_done(&l->old);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- one line of YAML: "key: value" or "key:" */

struct line {
	size_t indent;
	char *key, *value; /* value NULL: none */
};

static void line_done(struct line *l)
{
	free(l->key);
	free(l->value);
}

static const char *skip_blanks(const char *s)
{
	return s + strspn(s, " ");
}

/* A word in quotes, without escapes, or as it stands up to `end`; *s goes behind it. */
static int take_word(const char **s, const char *end, char **ret, struct err *e)
{
	const char *from = *s;
	char quote = *from;

	if (quote == '"' || quote == '\'') {
		end = strchr(++from, quote);
		if (!end || memchr(from, '\\', (size_t)(end - from)) || end[1] == quote)
			return err_set(e, EINVAL, "quotes that are not understood");
		*s = end + 1;
	} else {
		if (strchr("-?[]{},&*!|>%@`", quote))
			return err_set(e, ENOTSUP, "only \"key: word\" is understood");
		*s = end;
		while (end > from && end[-1] == ' ')
			end--;
	}
	*ret = strndup(from, (size_t)(end - from));
	return *ret ? 0 : no_memory(e);
}

/* Where a word as it stands ends: the key at ": ", the value at " #". */
static const char *end_of_key(const char *s)
{
	const char *at = s;

	while ((at = strchr(at, ':')) && at[1] && at[1] != ' ')
		at++;
	return at ? at : s + strlen(s);
}

static const char *end_of_value(const char *s)
{
	const char *at = strstr(s, " #");

	return at ? at : s + strlen(s);
}

/* 1: ret is one; 0: it is empty. */
static int parse_line(const char *text, struct line *ret, struct err *e)
{
	const char *s = skip_blanks(text);
	int r;

	if (!*s || *s == '#' || !strcmp(text, "---"))
		return 0;
	if (strchr(text, '\t'))
		return err_set(e, EINVAL, "a tab");
	ret->indent = (size_t)(s - text);
	r = take_word(&s, end_of_key(s), &ret->key, e);
	s = skip_blanks(s);
	if (r == 0 && *s != ':')
		r = err_set(e, EINVAL, "\"key:\" is missing");
	if (r < 0)
		return r;
	s = skip_blanks(s + 1);
	if (*s && *s != '#') {
		r = take_word(&s, end_of_value(s), &ret->value, e);
		s = skip_blanks(s);
		if (r == 0 && *s && *s != '#')
			r = err_set(e, EINVAL, "something behind the word");
	}
	return r < 0 ? r : 1;
}

/* --- a file */

struct reader {
	struct lookasides *to;
	size_t indent[DEPTH_MAX]; /* of the keys that the line is below, and its own */
	char *keys[DEPTH_MAX];
	int depth; /* of the line before; -1: none */
	bool had_value; /* it */
};

static void reader_done(struct reader *rd)
{
	for (int i = 0; i < DEPTH_MAX; i++)
		free(rd->keys[i]);
}

static int find_depth(struct reader *rd, const struct line *l, struct err *e)
{
	if (rd->depth < 0 || l->indent > rd->indent[rd->depth]) {
		if (rd->had_value || (rd->depth < 0 && l->indent))
			return err_set(e, EINVAL, "wrong indentation");
		if (++rd->depth == DEPTH_MAX)
			return err_set(e, ENOTSUP, "deeper than is understood");
		rd->indent[rd->depth] = l->indent;
		return 0;
	}
	while (rd->depth && rd->indent[rd->depth] > l->indent)
		rd->depth--;
	return rd->indent[rd->depth] == l->indent ? 0 : err_set(e, EINVAL, "wrong indentation");
}

static int add(struct strv *list, const char *scope, const char *url, struct err *e)
{
	size_t n = strlen(scope);

	if (!url || (strncmp(url, "file:///", 8) != 0 && strncmp(url, "https://", 8) != 0 &&
		     strncmp(url, "http://", 7) != 0))
		return err_set(e, EINVAL, "\"%.100s\" is neither file:///, https:// nor http://",
			       url ? url : "");
	for (size_t i = 0; i < list->n; i++)
		if (!strncmp(list->v[i], scope, n) && list->v[i][n] == '=')
			return err_set(e, EINVAL, "\"%.100s\" has two places",
				       *scope ? scope : "default-docker");
	return strv_addf(list, "%s=%s", scope, url) < 0 ? no_memory(e) : 0;
}

static int take_line(struct reader *rd, struct line *l, struct err *e)
{
	bool now = !strcmp(l->key, "lookaside"), old = !strcmp(l->key, "sigstore");
	int r = find_depth(rd, l, e);
	const char *scope = NULL;

	if (r < 0)
		return r;
	free(rd->keys[rd->depth]);
	rd->keys[rd->depth] = strdup(l->key);
	rd->had_value = l->value;
	if (!rd->keys[rd->depth])
		return no_memory(e);
	if (rd->depth == 1 && !strcmp(rd->keys[0], "default-docker"))
		scope = "";
	else if (rd->depth == 2 && !strcmp(rd->keys[0], "docker"))
		scope = rd->keys[1];
	if (!scope || !(now || old))
		return 0; /* where signatures are written, and what is not known, is not asked */
	if (strchr(scope, '='))
		return err_set(e, EINVAL, "\"%.100s\" is no name", scope);
	return add(now ? &rd->to->now : &rd->to->old, scope, l->value, e);
}

int lookaside_parse(const char *text, size_t n, struct lookasides *to, struct err *e)
{
	AUTO(reader_done) struct reader rd = { .to = to, .depth = -1 };
	const char *end = text + n;
	int r = memchr(text, 0, n) ? err_set(e, EINVAL, "it is no text") : 0;

	for (int number = 1; r == 0 && text < end; number++) {
		AUTO(line_done) struct line l = { 0 };
		const char *stop = memchr(text, '\n', (size_t)(end - text));
		size_t len = (size_t)((stop ? stop : end) - text);
		autofree char *one = strndup(text, len && text[len - 1] == '\r' ? len - 1 : len);

		r = one ? parse_line(one, &l, e) : no_memory(e);
		if (r > 0)
			r = take_line(&rd, &l, e);
		if (r < 0)
			err_wrap(e, r, "line %d", number);
		text += len + 1;
	}
	return r;
}

/* --- which */

static const char *get(const struct lookasides *l, const char *scope)
{
	const char *url = strv_env_get(&l->now, scope);

	return url ? url : strv_env_get(&l->old, scope);
}

/* The longest scope that fits: name:tag, name, what it lies below, "*.example.com" of its host. */
static const char *find_scope(const struct lookasides *l, const char *name, const char *tag)
{
	autofree char *scope = tag ? str_printf("%s:%s", name, tag) : strdup(name);
	const char *url = scope ? get(l, scope) : NULL;
	char *slash;

	free(scope);
	scope = strdup(name);
	while (!url && scope) {
		url = get(l, scope);
		slash = strrchr(scope, '/');
		if (!slash)
			break;
		*slash = '\0';
	}
	for (char *dot = scope ? strchr(scope, '.') : NULL; dot && !url; dot = strchr(dot + 1, '.')) {
		autofree char *wild = str_printf("*%s", dot);

		url = wild ? get(l, wild) : NULL;
	}
	return url ? url : get(l, "");
}

int lookaside_find(const struct lookasides *l, const char *name, const char *tag, char **ret, struct err *e)
{
	const char *url = find_scope(l, name, tag), *slash = strchr(name, '/');
	size_t n;

	if (!url)
		url = LOOKASIDE_DEFAULT;
	n = strlen(url);
	while (n > strlen("file://") && url[n - 1] == '/')
		n--;
	*ret = slash ? str_printf("%.*s%s", (int)n, url, slash) : NULL;
	if (!slash)
		return err_set(e, EINVAL, "\"%.100s\" is no whole name", name);
	return *ret ? 0 : no_memory(e);
}

static int is_yaml(const struct dirent *de)
{
	size_t n = strlen(de->d_name);

	return n > 5 && !strcmp(de->d_name + n - 5, ".yaml");
}

static int read_dir(int dir, const char *path, struct lookasides *to, struct err *e)
{
	struct dirent **list = NULL;
	int n = scandirat(dir, ".", &list, is_yaml, alphasort), r = 0;

	if (n < 0)
		r = err_sys(e, errno, "%.200s", path);
	for (int i = 0; i < n; i++) {
		AUTO(buf_done) struct buf text = { 0 };

		if (r == 0) {
			r = read_file(dir, list[i]->d_name, LOOKASIDE_MAX, &text);
			r = r < 0 ? err_sys(e, -r, "read it")
				  : lookaside_parse(text.data ? text.data : "", text.len, to, e);
			if (r < 0)
				err_wrap(e, r, "%.200s/%.100s", path, list[i]->d_name);
		}
		free(list[i]);
	}
	free(list);
	return r;
}

int lookaside_load(const char *name, const char *tag, char **ret, struct err *e)
{
	AUTO(lookasides_done) struct lookasides l = { 0 };
	const char *home = getenv("HOME"), *path = SYSTEM_DIR;
	autofree char *own = str_printf("%s/" USER_DIR, home ? home : "");
	autoclose int dir = -1;
	int r = own ? 0 : no_memory(e);

	if (r == 0 && home && *home)
		dir = open(own, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		path = own;
	else if (r == 0)
		dir = open(SYSTEM_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (dir >= 0)
		r = read_dir(dir, path, &l, e);
	else if (r == 0 && errno != ENOENT)
		r = err_sys(e, errno, SYSTEM_DIR);
	return r < 0 ? r : lookaside_find(&l, name, tag, ret, e);
}

/* request_env.c - the environment and the labels: of the image, of the caller, of files, of options
 *
 * The order is Podman's, a later one wins: our defaults, --env-host, the image, --http-proxy, --env-merge, --env-file, -e.
 * What --unsetenv names goes before the last two.
 */
#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "engine/request.h"
#include "engine/request_int.h"

#define MAX_TEXT_FILE (1 << 20)

extern char **environ;

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- entries */

static bool is_env_name(const char *s, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (isspace((unsigned char)s[i]) || iscntrl((unsigned char)s[i]))
			return false;
	return n > 0;
}

static int bad_variable(const char *entry, struct err *e)
{
	return err_set(e, EINVAL, "invalid environment variable: %.100s", entry);
}

/* KEY=VALUE sets, KEY takes the caller's value or, without one, unsets. */
static int env_entry(struct strv *env, const char *entry, struct err *e)
{
	size_t n = strcspn(entry, "=");
	autofree char *assignment = NULL;
	const char *value;

	if (!n)
		return bad_variable(entry, e);
	if (entry[n])
		return strv_env_set(env, entry) < 0 ? no_memory(e) : 0;
	value = getenv(entry);
	if (!value) {
		strv_env_unset(env, entry);
		return 0;
	}
	assignment = str_printf("%s=%s", entry, value);
	return !assignment || strv_env_set(env, assignment) < 0 ? no_memory(e) : 0;
}

/* A line of a file is looked at as Docker does: a blank in a name is more often a mistake there. */
static int file_entry(struct strv *env, const char *line, struct err *e)
{
	return is_env_name(line, strcspn(line, "=")) ? env_entry(env, line, e) : bad_variable(line, e);
}

int request_env(const struct strv *from, struct strv *env, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r == 0; i++)
		r = env_entry(env, from->v[i], e);
	return r;
}

/* --- files of lines */

typedef int (*line_fn)(struct strv *into, const char *line, struct err *e);

#define BYTE_ORDER_MARK "\xef\xbb\xbf" /* of editors on Windows, in front of all */

/* Blank lines and those that begin with # are left out. */
static int each_line(const char *text, line_fn take, struct strv *into, struct err *e)
{
	AUTO(strv_done) struct strv lines = { 0 };
	int r;

	if (!strncmp(text, BYTE_ORDER_MARK, strlen(BYTE_ORDER_MARK)))
		text += strlen(BYTE_ORDER_MARK);
	if (strv_split(&lines, text, "\n") < 0)
		return no_memory(e);
	for (size_t i = 0; i < lines.n; i++) {
		char *s = lines.v[i] + strspn(lines.v[i], " \t");
		size_t n = strlen(s);

		if (n && s[n - 1] == '\r')
			s[n - 1] = '\0';
		if (!*s || *s == '#')
			continue;
		r = take(into, s, e);
		if (r < 0)
			return err_wrap(e, r, "line %zu", i + 1);
	}
	return 0;
}

int request_env_file(const char *text, struct strv *env, struct err *e)
{
	return each_line(text, file_entry, env, e);
}

static int read_files(const char *flag, const struct strv *paths, line_fn take, struct strv *into,
		      struct err *e)
{
	for (size_t i = 0; i < paths->n; i++) {
		AUTO(buf_done) struct buf b = { 0 };
		int r = read_given_file(paths->v[i], MAX_TEXT_FILE, &b);

		if (r < 0)
			return err_sys(e, -r, "%s %.200s", flag, paths->v[i]);
		if (b.len && memchr(b.data, '\0', b.len))
			return err_set(e, EINVAL, "%s %.200s: not a text file", flag, paths->v[i]);
		r = b.len ? each_line(b.data, take, into, e) : 0;
		if (r < 0)
			return err_wrap(e, r, "%s %.200s", flag, paths->v[i]);
	}
	return 0;
}

/* --- the environment */

static int add_defaults(const struct run_request *rq, const struct instance_spec *s, struct strv *env)
{
	int r = strv_add(env, DEFAULT_PATH);

	if (r == 0)
		r = strv_addf(env, "HOSTNAME=%s", s->hostname);
	if (r == 0 && rq->tty)
		r = strv_add(env, DEFAULT_TERM);
	if (r == 0 && rq->sandbox.system)
		r = strv_add(env, "container=ketch");
	for (char **v = environ; rq->env_host && v && *v && r == 0; v++)
		r = strv_env_set(env, *v);
	return r;
}

static int add_proxies(struct strv *env, struct err *e)
{
	static const char *const names[] = { "http_proxy", "https_proxy", "ftp_proxy", "no_proxy",
					     "HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY" };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(names) && r == 0; i++)
		if (getenv(names[i]))
			r = env_entry(env, names[i], e);
	return r;
}

/* The end of a variable's name that begins at s: letters, digits and _. */
static const char *end_of_name(const char *s)
{
	while (isalnum((unsigned char)*s) || *s == '_')
		s++;
	return s;
}

/* $NAME and ${NAME} become what `env` has, or nothing, as Go's os.Expand. */
static int expand(const char *s, const struct strv *env, struct buf *ret)
{
	for (; *s; s++) {
		bool braced = s[0] == '$' && s[1] == '{';
		const char *name = s + 1 + braced, *end = end_of_name(name);
		autofree char *key = NULL;

		if (*s != '$' || end == name || (braced && *end != '}')) {
			buf_addc(ret, *s);
			continue;
		}
		key = strndup(name, (size_t)(end - name));
		if (!key)
			return -ENOMEM;
		buf_adds(ret, strv_env_get(env, key) ? strv_env_get(env, key) : "");
		s = end - !braced;
	}
	return buf_ok(ret) ? 0 : -ENOMEM;
}

static int merge_one(const char *entry, struct strv *env, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	size_t n = strcspn(entry, "=");

	if (!is_env_name(entry, n) || !entry[n])
		return err_set(e, EINVAL, "--env-merge: '%.100s' is not NAME=VALUE", entry);
	buf_add(&b, entry, n + 1);
	return expand(entry + n + 1, env, &b) < 0 || strv_env_set(env, b.data) < 0 ? no_memory(e) : 0;
}

int request_environment(const struct run_request *rq, const struct image_run_config *c,
			struct instance_spec *s, struct err *e)
{
	struct strv *env = &s->process.env;
	int r = add_defaults(rq, s, env);

	for (size_t i = 0; i < c->env.n && r == 0; i++)
		r = strv_env_set(env, c->env.v[i]);
	if (r < 0)
		return no_memory(e);
	if (rq->http_proxy)
		r = add_proxies(env, e);
	for (size_t i = 0; i < rq->env_merge.n && r == 0; i++)
		r = merge_one(rq->env_merge.v[i], env, e);
	for (size_t i = 0; i < rq->unset_env.n; i++)
		strv_env_unset(env, rq->unset_env.v[i]);
	if (rq->unset_env_all)
		strv_done(env);
	if (r == 0)
		r = read_files("--env-file", &rq->env_files, file_entry, env, e);
	return r < 0 ? r : request_env(&rq->env, env, e);
}

/* --- labels and annotations */

/* "key=value" or "key". */
static int pair_entry(const char *what, struct strv *pairs, const char *text, struct err *e)
{
	autofree char *pair = str_printf(strchr(text, '=') ? "%s" : "%s=", text);

	if (*text == '=' || !*text)
		return err_set(e, EINVAL, "invalid %s: '%.100s'", what, text);
	return !pair || strv_env_set(pairs, pair) < 0 ? no_memory(e) : 0;
}

static int label_entry(struct strv *labels, const char *text, struct err *e)
{
	return pair_entry("label", labels, text, e);
}

int request_labels(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		   struct err *e)
{
	int r = strv_add_all(&s->labels, &c->labels) < 0 ? no_memory(e) : 0;

	if (r == 0)
		r = read_files("--label-file", &rq->label_files, label_entry, &s->labels, e);
	for (size_t i = 0; i < rq->labels.n && r == 0; i++)
		r = label_entry(&s->labels, rq->labels.v[i], e);
	for (size_t i = 0; i < rq->annotations.n && r == 0; i++)
		r = pair_entry("annotation", &s->annotations, rq->annotations.v[i], e);
	return r;
}

int request_env_files(const struct strv *files, struct strv *env, struct err *e)
{
	return read_files("--env-file", files, file_entry, env, e);
}

/* log_details.c - what --log-opt has put beside the lines of a log: some labels, some variables, a tag; pure */
#include "instance/log_details.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define SHORT_ID 12

/* --- labels and variables */

/* A pattern is NULL where nothing was asked for. */
static int compile(const char *text, regex_t *ret)
{
	return regcomp(ret, text, REG_EXTENDED | REG_NOSUB) == 0 ? 0 : -EINVAL;
}

int log_regex_check(const char *text)
{
	regex_t re;
	int r = compile(text, &re);

	if (r == 0)
		regfree(&re);
	return r;
}

static int add_named(const char *names, const struct strv *from, struct strv *ret)
{
	AUTO(strv_done) struct strv keys = { 0 };
	int r = names ? strv_split(&keys, names, ",") : 0;

	for (size_t i = 0; i < keys.n && r == 0; i++) {
		const char *value = *keys.v[i] ? strv_env_get(from, keys.v[i]) : NULL;
		autofree char *pair = value ? str_printf("%s=%s", keys.v[i], value) : NULL;

		if (value)
			r = pair ? strv_env_set(ret, pair) : -ENOMEM;
	}
	return r;
}

static int add_fitting(const char *pattern, const struct strv *from, struct strv *ret)
{
	regex_t re;
	int r = 0;

	if (!pattern || compile(pattern, &re) < 0)
		return 0;
	for (size_t i = 0; i < from->n && r == 0; i++) {
		autofree char *key = strndup(from->v[i], strcspn(from->v[i], "="));

		if (!key)
			r = -ENOMEM;
		else if (regexec(&re, key, 0, NULL, 0) == 0)
			r = strv_env_set(ret, from->v[i]);
	}
	regfree(&re);
	return r;
}

int log_details(const struct instance_spec *s, struct strv *ret)
{
	int r = add_named(s->log.labels, &s->labels, ret);

	if (r == 0)
		r = add_fitting(s->log.labels_regex, &s->labels, ret);
	if (r == 0)
		r = add_named(s->log.env, &s->process.env, ret);
	return r == 0 ? add_fitting(s->log.env_regex, &s->process.env, ret) : r;
}

/* --- the tag */

enum tag_word {
	TAG_ID,
	TAG_FULL_ID,
	TAG_NAME,
	TAG_IMAGE_NAME,
	TAG_IMAGE_ID,
	TAG_IMAGE_FULL_ID,
	TAG_DAEMON,
	TAG_N
};

static const char *const tag_words[TAG_N] = { ".ID",	  ".FullID",	  ".Name",	".ImageName",
					      ".ImageID", ".ImageFullID", ".DaemonName" };

/* p is at "{{": the word of what stands there, and its length; TAG_N: none. */
static enum tag_word read_word(const char *p, size_t *ret_len)
{
	const char *word = p + 2 + strspn(p + 2, " \t"), *end = strstr(word, "}}");
	size_t n = end ? (size_t)(end - word) : 0;

	while (n && (word[n - 1] == ' ' || word[n - 1] == '\t'))
		n--;
	*ret_len = end ? (size_t)(end + 2 - p) : 2;
	for (enum tag_word i = 0; i < TAG_N; i++)
		if (strlen(tag_words[i]) == n && !memcmp(tag_words[i], word, n))
			return i;
	return TAG_N;
}

int log_tag_check(const char *tag, const char **ret_bad)
{
	for (const char *p = tag; (p = strstr(p, "{{"));) {
		size_t n;

		*ret_bad = p;
		if (read_word(p, &n) == TAG_N)
			return -EINVAL;
		p += n;
	}
	return 0;
}

/* An image's short ID has the 12 first characters, "sha256:" among them, in Docker. */
static void add_word(struct buf *out, const struct instance_spec *s, enum tag_word word)
{
	const char *const values[TAG_N] = {
		s->id, s->id, s->name, s->image, s->image_id, s->image_id, "ketch"
	};
	const char *value = values[word] ? values[word] : "";

	buf_add(out, value,
		word == TAG_ID || word == TAG_IMAGE_ID ? strnlen(value, SHORT_ID) : strlen(value));
}

char *log_tag_expand(const struct instance_spec *s, const char *tag)
{
	struct buf out = { 0 };

	while (*tag) {
		const char *next = strstr(tag, "{{");
		size_t n = next ? (size_t)(next - tag) : strlen(tag);
		enum tag_word word;

		buf_add(&out, tag, n);
		tag += n;
		if (!*tag)
			break;
		word = read_word(tag, &n);
		if (word == TAG_N)
			buf_add(&out, tag, n);
		else
			add_word(&out, s, word);
		tag += n;
	}
	return buf_take(&out);
}

/* --- both, for people */

static int compare_pairs(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int log_details_print(const struct instance_spec *s, struct buf *ret)
{
	AUTO(strv_done) struct strv pairs = { 0 };
	int r = log_details(s, &pairs);

	if (r == 0 && s->log.tag && *s->log.tag) {
		autofree char *tag = log_tag_expand(s, s->log.tag),
			      *pair = tag ? str_printf("tag=%s", tag) : NULL;

		r = pair ? strv_env_set(&pairs, pair) : -ENOMEM;
	}
	if (r == 0 && pairs.n)
		qsort(pairs.v, pairs.n, sizeof(*pairs.v), compare_pairs);
	for (size_t i = 0; i < pairs.n && r == 0; i++) {
		size_t key = strcspn(pairs.v[i], "=");

		buf_adds(ret, i ? "," : "");
		buf_add_query(ret, pairs.v[i], key);
		buf_addc(ret, '=');
		buf_add_query(ret, pairs.v[i] + key + 1, strlen(pairs.v[i] + key + 1));
	}
	return r == 0 && !buf_ok(ret) ? -ENOMEM : r;
}

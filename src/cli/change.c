/* change.c - instructions of a Dockerfile, as `ketch import --change` takes them */
#include "cli/change.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/parse.h"
#include "base/when.h"
#include "engine/request.h"

#define BLANKS " \t"

struct change {
	const char *word; /* the instruction, for messages */
	const char *rest; /* behind it, without blanks in front */
	struct err *e;
};

static int no_memory(const struct change *ch)
{
	return err_set(ch->e, ENOMEM, "out of memory");
}

static int invalid(const struct change *ch, const char *why)
{
	return err_set(ch->e, EINVAL, "invalid change \"%s %.160s\": %s", ch->word, ch->rest, why);
}

static int set_text(const struct change *ch, char **m, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return no_memory(ch);
	free(*m);
	*m = copy;
	return 0;
}

/* --- lists */

struct list {
	struct strv v;
};

/* A JSON array of strings; the parser takes objects, so it becomes the only member of one. */
static int parse_array(const struct change *ch, struct strv *ret)
{
	static const struct jfield fields[] = { J(J_STRV, struct list, v), { 0 } };
	static const struct jtable table = { sizeof(struct list), fields };
	autofree char *text = str_printf("{\"v\":%s}", ch->rest);
	struct list list = { 0 };
	struct err why;

	if (!text)
		return no_memory(ch);
	if (json_parse(&table, text, strlen(text), JSON_STRICT | JSON_UNIQUE, &list, &why) < 0)
		return invalid(ch, "not a JSON array of strings");
	*ret = list.v;
	return 0;
}

static int replace_list(struct strv *m, struct strv *with)
{
	strv_done(m);
	*m = *with;
	return 0;
}

/* ["cmd", "arg"], or text that a shell gets. */
static int set_command(const struct change *ch, struct strv *m)
{
	struct strv list = { 0 };
	int r;

	if (*ch->rest == '[') {
		r = parse_array(ch, &list);
		return r < 0 ? r : replace_list(m, &list);
	}
	if (strv_add(&list, "/bin/sh") < 0 || strv_add(&list, "-c") < 0 || strv_add(&list, ch->rest) < 0) {
		strv_done(&list);
		return no_memory(ch);
	}
	return replace_list(m, &list);
}

/* One word up to a blank, quotes and backslashes taken away; NULL with *bad when a quote is not closed. */
static char *next_word(const char **s, bool *bad)
{
	struct buf b = { 0 };
	const char *p = *s;
	char quote = 0;

	for (; *p && (quote || !strchr(BLANKS, *p)); p++) {
		if (quote ? *p == quote : *p == '"' || *p == '\'')
			quote = quote ? 0 : *p;
		else if (*p == '\\' && p[1] && quote != '\'')
			buf_addc(&b, *++p);
		else
			buf_addc(&b, *p);
	}
	*bad = quote != 0;
	*s = p + strspn(p, BLANKS);
	return buf_take(&b);
}

/* ["/a", "/b"], or words. */
static int parse_words(const struct change *ch, struct strv *ret)
{
	const char *s = ch->rest;
	bool bad = false;
	int r = *s == '[' ? parse_array(ch, ret) : 0;

	while (*s && *s != '[' && !bad && r == 0)
		r = strv_add_take(ret, next_word(&s, &bad));
	return bad ? invalid(ch, "a quote is not closed") : r == -ENOMEM ? no_memory(ch) : r;
}

/* What is there already is not added again. */
static int add_to_set(const struct change *ch, struct strv *m)
{
	AUTO(strv_done) struct strv list = { 0 };
	int r = parse_words(ch, &list);

	for (size_t i = 0; i < list.n && r == 0; i++)
		if (!strv_has(m, list.v[i]))
			r = strv_add(m, list.v[i]);
	return r == -ENOMEM ? no_memory(ch) : r;
}

static int add_pair(const struct change *ch, struct strv *m, const char *pair)
{
	if (*pair == '=' || !strchr(pair, '='))
		return invalid(ch, "must be NAME=VALUE");
	return strv_env_set(m, pair) < 0 ? no_memory(ch) : 0;
}

/* "A=B C='D E'", or the old form "A the whole rest". */
static int add_pairs(const struct change *ch, struct strv *m)
{
	size_t n = strcspn(ch->rest, "=" BLANKS);
	const char *s = ch->rest;
	bool bad = false;
	int r = 0;

	if (n && s[n] != '=' && s[n]) {
		autofree char *pair = str_printf("%.*s=%s", (int)n, s, s + n + strspn(s + n, BLANKS));

		return pair ? add_pair(ch, m, pair) : no_memory(ch);
	}
	while (*s && r == 0) {
		autofree char *pair = next_word(&s, &bad);

		r = bad ? invalid(ch, "a quote is not closed") : pair ? add_pair(ch, m, pair) : no_memory(ch);
	}
	return r;
}

/* --- HEALTHCHECK */

#define LEAST_NS 1000000 /* Docker's: a millisecond */

/* "--NAME=VALUE", one word in front of CMD. */
static int take_health_option(const struct change *ch, const char *word, struct image_healthcheck *h)
{
	const struct {
		const char *name;
		int64_t *ns;
		int64_t least_ns;
	} times[] = {
		{ "--interval=", &h->interval_ns, LEAST_NS },
		{ "--timeout=", &h->timeout_ns, LEAST_NS },
		{ "--start-period=", &h->start_period_ns, 0 },
		{ "--start-interval=", &h->start_interval_ns, LEAST_NS },
	};
	uint32_t retries;

	for (size_t i = 0; i < ARRAY_LEN(times); i++) {
		size_t n = strlen(times[i].name);

		if (strncmp(word, times[i].name, n))
			continue;
		return parse_duration(word + n, times[i].ns) < 0 || *times[i].ns < times[i].least_ns
			       ? invalid(ch, "that is no duration such as 30s")
			       : 0;
	}
	if (strncmp(word, "--retries=", strlen("--retries=")))
		return invalid(ch, "--interval=, --timeout=, --start-period=, --start-interval= and "
				   "--retries= are known");
	if (parse_u32(word + strlen("--retries="), &retries) < 0 || !retries || retries > INT_MAX)
		return invalid(ch, "--retries must be a number from 1 on");
	h->retries = (int)retries;
	return 0;
}

/* What is behind CMD: ["cmd", "arg"], or a line for a shell. */
static int set_health_test(const struct change *ch, struct strv *test)
{
	AUTO(strv_done) struct strv words = { 0 };
	int r = *ch->rest == '[' ? parse_array(ch, &words) : strv_add(&words, ch->rest);

	if (r == 0)
		r = strv_add(test, *ch->rest == '[' ? "CMD" : "CMD-SHELL");
	for (size_t i = 0; i < words.n && r == 0; i++)
		r = strv_add(test, words.v[i]);
	return r == -ENOMEM ? no_memory(ch) : r;
}

static int read_health(const struct change *ch, struct image_healthcheck *h)
{
	struct change behind = *ch;
	bool bad = false;
	int r = 0;

	while (r == 0 && !strncmp(behind.rest, "--", 2)) {
		autofree char *word = next_word(&behind.rest, &bad);

		r = bad	   ? invalid(ch, "a quote is not closed")
		    : word ? take_health_option(ch, word, h)
			   : no_memory(ch);
	}
	if (r < 0)
		return r;
	if (!strcasecmp(behind.rest, "NONE"))
		return strv_add(&h->test, "NONE") < 0 ? no_memory(ch) : 0;
	if (strncasecmp(behind.rest, "CMD", 3) || !strchr(BLANKS, behind.rest[3]))
		return invalid(ch, "must be [OPTIONS] CMD command, or NONE");
	behind.rest += 3 + strspn(behind.rest + 3, BLANKS);
	return *behind.rest ? set_health_test(&behind, &h->test) : invalid(ch, "a command is missing");
}

static int do_healthcheck(const struct change *ch, struct image_run_config *c)
{
	struct image_healthcheck h = { 0 };
	int r = read_health(ch, &h);

	if (r < 0) {
		json_done(&image_healthcheck_table, &h);
		return r;
	}
	json_done(&image_healthcheck_table, &c->healthcheck);
	c->healthcheck = h;
	c->has_healthcheck = true;
	return 0;
}

/* --- instructions */

static int do_cmd(const struct change *ch, struct image_run_config *c)
{
	return set_command(ch, &c->cmd);
}

static int do_entrypoint(const struct change *ch, struct image_run_config *c)
{
	return set_command(ch, &c->entrypoint);
}

static int do_env(const struct change *ch, struct image_run_config *c)
{
	return add_pairs(ch, &c->env);
}

static int do_label(const struct change *ch, struct image_run_config *c)
{
	return add_pairs(ch, &c->labels);
}

static int do_user(const struct change *ch, struct image_run_config *c)
{
	return set_text(ch, &c->user, ch->rest);
}

static int do_workdir(const struct change *ch, struct image_run_config *c)
{
	if (*ch->rest != '/')
		return invalid(ch, "must be an absolute path");
	return set_text(ch, &c->working_dir, ch->rest);
}

static int do_volume(const struct change *ch, struct image_run_config *c)
{
	return add_to_set(ch, &c->volumes);
}

static int do_expose(const struct change *ch, struct image_run_config *c)
{
	AUTO(strv_done) struct strv list = { 0 };
	struct err why = { 0 };
	int r = parse_words(ch, &list);

	for (size_t i = 0; i < list.n && r == 0; i++)
		if (request_expose(list.v[i], &c->exposed_ports, &why) < 0)
			r = invalid(ch, "must be ports, such as 80, 53/udp or 8000-8010");
	return r;
}

static int do_stopsignal(const struct change *ch, struct image_run_config *c)
{
	int signo;

	if (parse_signal(ch->rest, &signo) < 0)
		return invalid(ch, "must be a signal such as TERM or 15");
	return set_text(ch, &c->stop_signal, ch->rest);
}

static const struct {
	const char *word;
	int (*apply)(const struct change *ch, struct image_run_config *c);
} instructions[] = {
	{ "CMD", do_cmd },
	{ "ENTRYPOINT", do_entrypoint },
	{ "ENV", do_env },
	{ "EXPOSE", do_expose },
	{ "HEALTHCHECK", do_healthcheck },
	{ "LABEL", do_label },
	{ "STOPSIGNAL", do_stopsignal },
	{ "USER", do_user },
	{ "VOLUME", do_volume },
	{ "WORKDIR", do_workdir },
};

int change_apply(const char *line, struct image_run_config *config, struct err *e)
{
	size_t n;

	line += strspn(line, BLANKS);
	n = strcspn(line, BLANKS);
	for (size_t i = 0; i < ARRAY_LEN(instructions); i++) {
		struct change ch = { .word = instructions[i].word, .e = e };

		if (strlen(ch.word) != n || strncasecmp(ch.word, line, n))
			continue;
		ch.rest = line + n + strspn(line + n, BLANKS);
		if (!*ch.rest)
			return invalid(&ch, "a value is missing");
		return instructions[i].apply(&ch, config);
	}
	return err_set(e, EINVAL,
		       "unknown change \"%.160s\" (CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, "
		       "STOPSIGNAL, USER, VOLUME and WORKDIR are known)",
		       line);
}

/* event.c - one thing that happened in a store: as it is written, read, matched and printed */
#include "events/event.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"

#define ACTION_MAX 512 /* an exec's command line is cut there */

static const struct jfield actor_fields[] = {
	JK(J_STR, struct event, actor_id, "ID"),
	JK(J_MAP, struct event, attributes, "Attributes"),
	{ 0 },
};
static const struct jtable actor_table = { sizeof(struct event), actor_fields };

static const struct jfield event_fields[] = {
	J(J_STR, struct event, status),
	J(J_STR, struct event, id),
	J(J_STR, struct event, from),
	JK(J_STR, struct event, type, "Type"),
	JK(J_STR, struct event, action, "Action"),
	JP("Actor", &actor_table),
	J(J_STR, struct event, scope),
	JK(J_I64, struct event, time_s, "time"),
	JK(J_I64, struct event, time_ns, "timeNano"),
	{ 0 },
};
const struct jtable event_table = { sizeof(struct event), event_fields };

void event_done(struct event *ev)
{
	json_done(&event_table, ev);
}

/* --- writing */

static int compare_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int add_attribute(struct strv *to, const char *key, const char *value)
{
	autofree char *pair = value ? str_printf("%s=%s", key, value) : NULL;

	if (!value)
		return 0;
	return pair ? strv_env_set(to, pair) : -ENOMEM;
}

/* Ours behind the labels, which may have the same keys. */
static int gather_attributes(const struct event_news *n, bool labels, struct strv *ret)
{
	int r = n->labels && labels ? strv_copy(ret, n->labels) : 0;

	if (r == 0)
		r = add_attribute(ret, "image", n->image);
	if (r == 0)
		r = add_attribute(ret, "name", n->name);
	for (const char *const *m = n->more; m && *m && r == 0; m++)
		r = strv_env_set(ret, *m);
	if (r == 0 && ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), compare_text);
	return r;
}

static int print_once(const struct event_news *n, int64_t time_ns, bool labels, struct buf *out)
{
	bool old = strcmp(n->type, "volume") != 0;
	autofree char *action = strndup(n->action, ACTION_MAX);
	/* printing changes nothing of what is borrowed here */
	struct event ev = { .status = old ? action : NULL,
			    .id = old ? (char *)n->id : NULL,
			    .from = (char *)n->image,
			    .type = (char *)n->type,
			    .action = action,
			    .actor_id = (char *)n->id,
			    .scope = (char *)"local",
			    .time_s = time_ns / NS_PER_S,
			    .time_ns = time_ns };
	int r = action ? gather_attributes(n, labels, &ev.attributes) : -ENOMEM;

	if (r == 0)
		r = json_print(&event_table, &ev, 0, out);
	strv_done(&ev.attributes);
	buf_addc(out, '\n');
	return r < 0 || buf_ok(out) ? r : -ENOMEM;
}

int event_print(const struct event_news *n, int64_t time_ns, struct buf *out)
{
	size_t before = out->len;
	int r = print_once(n, time_ns, true, out);

	if (r < 0 || out->len - before <= EVENT_MAX)
		return r;
	out->len = before;
	r = print_once(n, time_ns, false, out);
	if (r == 0 && out->len - before > EVENT_MAX) {
		out->len = before;
		r = -E2BIG;
	}
	return r;
}

/* --- reading */

int event_parse(const char *line, size_t n, struct event *ret)
{
	struct event ev = { 0 };
	int r = json_parse(&event_table, line, n, 0, &ev, NULL);

	if (r < 0)
		return r;
	if (!ev.type || !ev.action || !ev.actor_id) {
		event_done(&ev);
		return -EBADMSG;
	}
	*ret = ev;
	return 0;
}

void event_add_line(const struct event *ev, struct buf *out)
{
	char stamp[RFC3339_LEN];

	rfc3339_format(ev->time_ns, stamp);
	buf_addf(out, "%s %s %s %s", stamp, ev->type, ev->action, ev->actor_id);
	for (size_t i = 0; i < ev->attributes.n; i++)
		buf_addf(out, "%s%s", i ? ", " : " (", ev->attributes.v[i]);
	buf_adds(out, ev->attributes.n ? ")\n" : "\n");
}

/* --- filters */

static bool is_type(const struct event *ev, const char *type)
{
	return !strcmp(ev->type, type);
}

static bool has_value(const struct event *ev, const char *key, const char *value)
{
	const char *have = strv_env_get(&ev->attributes, key);

	return have && !strcmp(have, value);
}

static bool match_container(const struct event *ev, const char *value)
{
	return is_type(ev, "container") &&
	       (has_value(ev, "name", value) || !strncmp(ev->actor_id, value, strlen(value)));
}

static bool match_image(const struct event *ev, const char *value)
{
	const char *hex = strchr(ev->actor_id, ':');
	size_t n = strlen(value);

	if (!is_type(ev, "image"))
		return has_value(ev, "image", value);
	return has_value(ev, "name", value) || !strncmp(ev->actor_id, value, n) ||
	       (hex && !strncmp(hex + 1, value, n));
}

static bool match_volume(const struct event *ev, const char *value)
{
	return is_type(ev, "volume") && !strcmp(ev->actor_id, value);
}

/* "exec_create" is also "exec_create: ls". */
static bool match_event(const struct event *ev, const char *value)
{
	size_t n = strlen(value);

	return !strncmp(ev->action, value, n) && (!ev->action[n] || ev->action[n] == ':');
}

static bool match_label(const struct event *ev, const char *value)
{
	autofree char *key = strndup(value, strcspn(value, "="));
	const char *eq = strchr(value, '=');

	return key && (eq ? has_value(ev, key, eq + 1) : strv_env_get(&ev->attributes, key) != NULL);
}

static const struct filter {
	const char *key;
	bool (*match)(const struct event *ev, const char *value);
} filters[] = {
	{ "container", match_container }, { "event", match_event }, { "image", match_image },
	{ "label", match_label },	  { "type", is_type },	    { "volume", match_volume },
};

/* The filter of "key=value", and the value. */
static const struct filter *find_filter(const char *text, const char **ret_value)
{
	const char *eq = strchr(text, '=');

	for (size_t i = 0; eq && i < ARRAY_LEN(filters); i++) {
		if (strlen(filters[i].key) != (size_t)(eq - text) ||
		    strncmp(filters[i].key, text, (size_t)(eq - text)))
			continue;
		*ret_value = eq + 1;
		return &filters[i];
	}
	return NULL;
}

int event_check_filters(const struct strv *given, struct err *e)
{
	const char *value;

	for (size_t i = 0; i < given->n; i++)
		if (!find_filter(given->v[i], &value))
			return err_set(e, EINVAL,
				       "invalid filter '%.160s': must be container, event, image, label, "
				       "type or volume, and =VALUE",
				       given->v[i]);
	return 0;
}

bool event_matches(const struct event *ev, const struct strv *given)
{
	for (size_t k = 0; k < ARRAY_LEN(filters); k++) {
		bool asked = false, met = false;

		for (size_t i = 0; i < given->n; i++) {
			const char *value;

			if (find_filter(given->v[i], &value) != &filters[k])
				continue;
			asked = true;
			met = met || filters[k].match(ev, value);
		}
		if (asked && !met)
			return false;
	}
	return true;
}

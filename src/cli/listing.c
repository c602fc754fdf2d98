/* listing.c - lists as Docker prints them */
#include "cli/listing.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/cli.h"
#include "cli/text.h"
#include "format/columns.h"
#include "format/format.h"

#define TABLE "table"

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* --- a row as a tree */

int listing_make_harmless(struct json_value *v)
{
	struct buf b = { 0 };
	int r = 0;

	if (v->kind == JSON_STRING) {
		text_add(&b, v->string);
		free(v->string);
		v->string = buf_take(&b);
		if (!v->string)
			v->kind = JSON_NULL;
		return v->string ? 0 : -ENOMEM;
	}
	for (size_t i = 0; v->kind == JSON_ARRAY && i < v->n && r == 0; i++)
		r = listing_make_harmless(&v->items[i]);
	for (size_t i = 0; v->kind == JSON_OBJECT && i < v->n && r == 0; i++)
		r = listing_make_harmless(&v->members[i].value);
	return r;
}

static int row_tree(const struct jtable *t, const void *row, struct json_value *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = json_print(t, row, JSON_ALL, &text);

	if (r < 0 || !buf_ok(&text))
		return no_memory(e);
	r = json_tree_parse(text.data, text.len, ret, e);
	if (r < 0)
		return r;
	for (const struct jfield *f = t->fields; f->type; f++)
		if (f->type == J_MAP)
			json_tree_find(ret, f->key)->hidden = true;
	return listing_make_harmless(ret) < 0 ? no_memory(e) : 0;
}

/* --- the head of the table */

static char *heading_of(const struct listing_form *form, const char *key)
{
	char *s = NULL;

	for (const struct column *c = form->columns; c && c->key; c++)
		if (!strcmp(c->key, key))
			return strdup(c->heading);
	s = strdup(key);
	for (char *p = s; p && *p; p++)
		if (*p >= 'a' && *p <= 'z')
			*p = (char)(*p - 'a' + 'A');
	return s;
}

static int heading_tree(const struct listing_form *form, struct json_value *ret)
{
	size_t n = 0;

	while (form->row->fields[n].type)
		n++;
	*ret = (struct json_value){ .kind = JSON_OBJECT, .members = calloc(n, sizeof(*ret->members)) };
	if (!ret->members)
		return -ENOMEM;
	for (; ret->n < n; ret->n++) {
		struct json_member *m = &ret->members[ret->n];
		const char *key = form->row->fields[ret->n].key;

		m->key = strdup(key);
		m->value.string = heading_of(form, key);
		if (m->value.string)
			m->value.kind = JSON_STRING;
		if (!m->key || !m->value.string)
			return -ENOMEM;
	}
	return 0;
}

static int add_heading(struct listing *l, struct err *e)
{
	AUTO(json_tree_done) struct json_value headings = { 0 };
	int r = heading_tree(l->form, &headings);

	if (r < 0)
		return no_memory(e);
	r = format_run_headings(l->format, &headings, &l->out, e);
	buf_addc(&l->out, '\n');
	return r;
}

/* --- the list */

/* Docker's: blanks around a template are dropped. */
static char *trimmed(const char *s)
{
	size_t n;

	s += strspn(s, " ");
	n = strlen(s);
	while (n && s[n - 1] == ' ')
		n--;
	return strndup(s, n);
}

static int parse_template(struct listing *l, const char *text, struct err *e)
{
	size_t n = strlen(TABLE);
	autofree char *body = NULL;
	int r;

	l->is_table = !strncmp(text, TABLE, n);
	body = trimmed(text + (l->is_table ? n : 0));
	if (!body)
		return no_memory(e);
	r = format_parse(body, FORMAT_ESCAPES, &l->format, e);
	return r == 0 && l->is_table ? add_heading(l, e) : r;
}

int listing_begin(struct listing *ret, const struct listing_form *form, const char *format, bool quiet,
		  struct err *e)
{
	*ret = (struct listing){ .form = form };
	if (quiet)
		format = form->quiet;
	if (!format || !strcmp(format, TABLE))
		format = form->table;
	return cli_is_json(format) ? 0 : parse_template(ret, format, e);
}

int listing_add(struct listing *l, const void *row, struct err *e)
{
	AUTO(json_tree_done) struct json_value v = { 0 };
	int r = row_tree(l->form->row, row, &v, e);

	if (r == 0 && !l->format)
		json_tree_print(&v, &l->out);
	else if (r == 0)
		r = format_run(l->format, &v, &l->out, e);
	buf_addc(&l->out, '\n');
	return r;
}

int listing_print(struct listing *l, struct err *e)
{
	AUTO(buf_done) struct buf table = { 0 };

	if (!l->is_table || !buf_ok(&l->out))
		return cli_print(&l->out, e);
	columns_add(&table, l->out.data, l->out.len);
	return cli_print(&table, e);
}

void listing_done(struct listing *l)
{
	l->format = format_free(l->format);
	buf_done(&l->out);
}

int listing_add_object(const char *format, const struct jtable *t, const void *obj, struct buf *out,
		       struct err *e)
{
	AUTO(json_tree_done) struct json_value v = { 0 };
	struct format *f = NULL;
	int r = row_tree(t, obj, &v, e);

	if (r == 0 && cli_is_json(format)) {
		json_tree_print(&v, out);
		return 0;
	}
	if (r == 0)
		r = format_parse(format, 0, &f, e);
	if (r == 0)
		r = format_run(f, &v, out, e);
	format_free(f);
	return r;
}

/* inspect.c - ketch inspect: everything about an instance, an image, ... */
#include "cli/inspect.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "engine/network.h"
#include "format/format.h"

/* --- an array, or a template for each */

/* Objects are printed at depth 0 and stand one deeper in the array.  No string holds a newline. */
static void add_indented(struct buf *out, const char *text)
{
	for (;;) {
		size_t n = strcspn(text, "\n");

		buf_adds(out, "\n    ");
		buf_add(out, text, n);
		if (!text[n])
			return;
		text += n + 1;
	}
}

struct printer {
	struct format *format; /* NULL: an array */
	int json_flags;
	size_t n;
	struct buf out;
};

static void printer_done(struct printer *p)
{
	format_free(p->format);
	buf_done(&p->out);
}

static int printer_begin(struct printer *p, const char *format, struct err *e)
{
	bool json = cli_is_json(format);

	*p = (struct printer){ .json_flags = JSON_ALL | (format ? 0 : JSON_PRETTY) };
	if (!format || json)
		buf_addc(&p->out, '[');
	return !format || json ? 0 : format_parse(format, 0, &p->format, e);
}

/* What scripts print whole of Docker's structs, and of sets, whose values are empty ones: {on-failure 3}, map[/data:{}]. */
static void mark_records(struct json_value *v)
{
	static const struct {
		const char *of, *name;
		bool set;
	} records[] = {
		{ "HostConfig", "RestartPolicy", false },
		{ "HostConfig", "LogConfig", false },
		{ "Config", "Volumes", true },
		{ "Config", "ExposedPorts", true },
	};

	for (size_t i = 0; i < ARRAY_LEN(records); i++) {
		struct json_member *of = json_tree_find(v, records[i].of);
		struct json_member *m = of ? json_tree_find(&of->value, records[i].name) : NULL;

		if (!m || m->value.kind != JSON_OBJECT)
			continue;
		m->value.record = !records[i].set;
		for (size_t j = 0; records[i].set && j < m->value.n; j++)
			m->value.members[j].value.record = true;
	}
}

/* Onto a terminal no foreign text gets as it is. */
static int add_by_template(struct printer *p, const struct buf *text, struct err *e)
{
	AUTO(json_tree_done) struct json_value v = { 0 };
	int r = json_tree_parse(text->data, text->len, &v, e);

	if (r == 0 && isatty(STDOUT_FILENO) && listing_make_harmless(&v) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	mark_records(&v);
	if (r == 0)
		r = format_run(p->format, &v, &p->out, e);
	if (r == 0)
		buf_addc(&p->out, '\n');
	return r;
}

static int printer_add(struct printer *p, const struct buf *text, struct err *e)
{
	if (p->format)
		return add_by_template(p, text, e);
	buf_adds(&p->out, p->n ? "," : "");
	if (p->json_flags & JSON_PRETTY)
		add_indented(&p->out, text->data);
	else
		buf_add(&p->out, text->data, text->len);
	return 0;
}

static int printer_end(struct printer *p, struct err *e)
{
	if (!p->format)
		buf_adds(&p->out, p->json_flags & JSON_PRETTY ? "\n]\n" : "]\n");
	/* nothing found: the error alone, where Docker prints an empty array besides */
	return p->n ? cli_print(&p->out, e) : 0;
}

const struct opt inspect_format_opts[] = {
	INSPECT_FORMAT(struct inspect_format, format),
	{ 0 },
};

int inspect_each(struct cli *c, const struct strv *names, const char *format, inspect_fn add, struct err *e)
{
	AUTO(printer_done) struct printer p;
	int status = 0, r = printer_begin(&p, format, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < names->n; i++) {
		AUTO(buf_done) struct buf one = { 0 };
		struct err why = { 0 };

		r = add(c, names->v[i], p.json_flags, &one, &why);
		if (r == 0)
			r = printer_add(&p, &one, &why);
		if (r < 0)
			status = cli_complain(&why, STATUS_FAILED);
		else
			p.n++;
	}
	r = printer_end(&p, e);
	return r < 0 ? r : status;
}

/* --- ketch inspect */

struct inspect_args {
	char *format, *type;
	bool size;
};

static const struct opt inspect_opts[] = {
	INSPECT_FORMAT(struct inspect_args, format),
	OPT(FLAG, 's', "size", struct inspect_args, size, NULL,
	    "Also the size of an instance: .SizeRw, .SizeRootFs"),
	OPT(CHOICE, 0, "type", struct inspect_args, type, "container|image|volume|network",
	    "Only what is of this kind"),
	{ 0 },
};

static int add_one(struct cli *c, const char *name, bool with_size, int json_flags, struct buf *out,
		   struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct engine *en = cli_engine(c, e);
	struct instance_size size;
	int r = en ? engine_find(en, name, &in, e) : -e->no;

	if (r == 0)
		r = network_fill(en, &in, e);
	if (r == 0 && with_size)
		r = engine_size(en, &in, &size, e);
	return r < 0 ? r : inspect_add_instance(c, &in, with_size ? &size : NULL, json_flags, out, e);
}

static int add_instance(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	return add_one(c, name, false, json_flags, out, e);
}

static int add_with_size(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	return add_one(c, name, true, json_flags, out, e);
}

/* What has a name, in the order in which it is looked for. */
static const struct {
	const char *type;
	inspect_fn add;
} kinds[] = {
	{ "container", add_instance },
	{ "image", image_inspect_add },
	{ "volume", volume_inspect_add },
	{ "network", network_inspect_add },
};

static int add_any(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	int r = -ENOENT;

	for (size_t i = 0; i < ARRAY_LEN(kinds) && r == -ENOENT; i++)
		r = kinds[i].add(c, name, json_flags, out, e);
	return r == -ENOENT ? err_set(e, ENOENT, "no such instance or image: %s", name) : r;
}

/* Of what is no instance it changes nothing. */
static int add_any_with_size(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e)
{
	int r = add_with_size(c, name, json_flags, out, e);

	return r == -ENOENT ? add_any(c, name, json_flags, out, e) : r;
}

static int inspect_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	const struct inspect_args *a = args;
	inspect_fn add = a->size ? add_any_with_size : add_any;

	for (size_t i = 0; i < ARRAY_LEN(kinds); i++)
		if (a->type && !strcmp(a->type, kinds[i].type))
			add = a->size && kinds[i].add == add_instance ? add_with_size : kinds[i].add;
	return inspect_each(c, words, a->format, add, e);
}

const struct command cmd_inspect = {
	.name = "inspect",
	.usage = "NAME...",
	.summary = "Print all about instances, images, volumes or networks as JSON",
	.text = "With --format only what a template asks for: ketch inspect -f '{{.State.Status}}' NAME.  A "
		"list is gone through by {{range .Mounts}}{{.Source}} {{end}}, a key that is no word is "
		"taken by {{index .Config.Labels \"com.example.key\"}}, {{json .Config}} prints a part "
		"as JSON.  Functions: and or not eq ne lt le gt ge index len slice print printf println "
		"join split upper lower title pad truncate json html js urlquery; also {{define}}, {{block}} "
		"and "
		"{{template}}, {{break}} and {{continue}}.",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = inspect_run,
};

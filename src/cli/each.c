/* each.c - one thing done to each of the instances that are named */
#include "cli/each.h"

#include <errno.h>

#include "base/auto.h"
#include "cli/text.h"

static int do_one(struct engine *en, const char *name, const struct each *each, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(buf_done) struct buf line = { 0 };
	int r = engine_find(en, name, &in, e);

	if (r == 0)
		r = each->fn(en, &in, each->args, &line, e);
	if (r < 0)
		return r;
	if (!line.len)
		text_add(&line, name);
	buf_addc(&line, '\n');
	return cli_print(&line, e);
}

int each_instance(struct cli *c, const struct strv *names, const struct each *each, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	int status = 0;

	if (!en)
		return -e->no;
	for (size_t i = 0; i < names->n; i++) {
		struct err why = { 0 };
		int r = do_one(en, names->v[i], each, &why);

		if (r < 0)
			cli_complain(&why, 0);
		if (r < 0 && !(r == -ENOENT && each->missing_ok))
			status = STATUS_FAILED;
	}
	return status;
}

int each_name(struct cli *c, const struct strv *names,
	      int (*fn)(struct engine *en, const char *name, struct err *e), bool missing_ok, struct err *e)
{
	struct engine *en = cli_engine(c, e);
	int status = 0;

	if (!en)
		return -e->no;
	for (size_t i = 0; i < names->n; i++) {
		struct err why = { 0 };
		int r = fn(en, names->v[i], &why);

		if (r < 0 && !(r == -ENOENT && missing_ok)) {
			status = cli_complain(&why, STATUS_FAILED);
			continue;
		}
		if (cli_print_name(names->v[i], e) < 0)
			return -e->no;
	}
	return status;
}

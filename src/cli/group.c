/* group.c - several instances as one, for their snapshots */
#include "cli/group.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/text.h"

static int find_named(struct engine *en, const char *word, struct instance_group *ret, char **ret_name,
		      struct err *e)
{
	autofree char *names = NULL, *name = NULL;
	int r = snapshot_split(word, &names, &name, e);

	if (r == 0)
		r = instance_group_named(en, names, ret, e);
	if (r == 0)
		*ret_name = take_ptr(name);
	return r;
}

static int find_labelled(struct engine *en, const char *label, const struct strv *words,
			 struct instance_group *ret, char **ret_name, struct err *e)
{
	autofree char *name = NULL;
	int r;

	if (words->n && (words->v[0][0] != '@' || !words->v[0][1]))
		return err_set(e, EINVAL, "with --label only @SNAPSHOT is to be named, not '%.80s'",
			       words->v[0]);
	name = words->n ? strdup(words->v[0] + 1) : NULL;
	if (words->n && !name)
		return err_set(e, ENOMEM, "out of memory");
	r = instance_group_labelled(en, label, ret, e);
	if (r == 0)
		*ret_name = take_ptr(name);
	return r;
}

int group_find(struct cli *c, const struct group_args *a, const struct strv *words,
	       struct instance_group *ret, char **ret_name, struct err *e)
{
	struct engine *en;

	if (a->group && a->label)
		return err_set(e, EINVAL, "--group and --label exclude each other");
	if (a->group && words->n)
		return err_set(e, EINVAL, "--group names its instances: '%.80s' is too much", words->v[0]);
	en = cli_engine(c, e);
	if (!en)
		return -e->no;
	return a->group ? find_named(en, a->group, ret, ret_name, e)
			: find_labelled(en, a->label, words, ret, ret_name, e);
}

int group_print(const struct instance_group *g, const char *name, struct err *e)
{
	AUTO(buf_done) struct buf out = { 0 };

	for (size_t i = 0; i < g->n; i++) {
		text_add(&out, g->list[i].spec.name);
		buf_addc(&out, '@');
		text_add(&out, name);
		buf_addc(&out, '\n');
	}
	return cli_print(&out, e);
}

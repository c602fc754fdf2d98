/* packed.c - run of an image that holds the memory of a machine
 *
 * Where that can be gone on with somebody has to say which is meant: to boot in its place would be another thing, and the
 * memory is of whoever made the image.
 */
#include "cli/packed.h"

#include <errno.h>

#include "base/auto.h"
#include "cli/template.h"
#include "engine/isolation.h"
#include "engine/packed.h"

static int is_machine(struct engine *en, const struct run_args *a, bool *ret, struct err *e)
{
	const struct isolation_rule *rule;
	int r = a->rq.auto_isolation ? engine_explain(en, &a->rq, &rule, e) : 0;

	if (r == 0)
		*ret = (a->rq.auto_isolation ? rule->isolation : a->rq.isolation) == ISOLATION_VM;
	return r;
}

static int check_trusted(const struct run_args *a, bool machine, bool packed, struct err *e)
{
	if (!a->trusted)
		return 0;
	if (a->disk_only)
		return err_set(e, EINVAL, "--trusted and --disk-only exclude each other");
	if (!machine)
		return err_set(
			e, EINVAL,
			"--trusted: a container has no memory to go on with; --vm makes a virtual machine");
	if (!packed)
		return err_set(e, ENOENT, "--trusted: image %.100s holds no memory (ketch push --memory)",
			       a->rq.image);
	return a->rq.args.n ? err_set(e, EINVAL, "--trusted: the command is the one that runs in the machine")
			    : 0;
}

int packed_wanted(struct engine *en, const struct run_args *a, bool *ret, struct err *e)
{
	bool packed = false, machine = false;
	int r = packed_is_in(en, a->rq.image, &packed, a->trusted ? e : NULL);

	if (r < 0 && !a->trusted) /* whoever makes the instance says what is wrong with the image */
		return 0;
	if (r == 0 && (packed || a->trusted))
		r = is_machine(en, a, &machine, e);
	if (r == 0)
		r = check_trusted(a, machine, packed, e);
	if (r < 0)
		return r;
	if (packed && machine && !a->trusted && !a->disk_only && !a->dry_run)
		return err_set(e, EPERM,
			       "image %.100s holds the memory of a machine, as it was saved elsewhere: say "
			       "--trusted to go on with it, --disk-only to boot from its files",
			       a->rq.image);
	*ret = a->trusted;
	return 0;
}

int packed_run(struct cli *c, const struct run_args *a, struct err *e)
{
	AUTO(snapshot_done) struct snapshot s = { 0 };
	AUTO(instance_done) struct instance in = { 0 };
	autofree char *like = NULL;
	int r = packed_take(c->engine, a->rq.image, &in, &s, &like, e);

	return r < 0 ? r : template_begin(c, a, &in, &s, like, e);
}

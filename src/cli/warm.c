/* warm.c - run --warm: an instance begins in a virtual machine that has booted before
 *
 * It only saves time.  So what goes wrong with the kept machine is told, and the instance boots; but what can never be is
 * refused, unless a profile and not the user says --warm.
 */
#include "cli/warm.h"

#include <errno.h>

#include "base/auto.h"
#include "base/log.h"

#define STATUS_NEVER_BEGAN 125

static void say_it_boots(const struct err *why)
{
	log_warn("no machine is kept warm, it boots: %s", why->msg);
}

int warm_wanted(struct engine *en, const struct run_args *a, struct warm *ret, struct err *e)
{
	struct err why = { 0 };
	int r = a->warm ? warm_plan(en, &a->rq, ret, e) : 0;
	bool may_be_none = a->defaults.warm || a->rq.auto_isolation;

	if (r == -ENOTSUP && may_be_none)
		return 0;
	if (r < 0 || !a->warm || warm_make(en, ret, &why) == 0)
		return r;
	say_it_boots(&why);
	*ret->name = '\0';
	return 0;
}

int warm_begin(struct engine *en, const struct warm *w, const struct instance_spec *spec,
	       const struct attach *how, struct err *e)
{
	struct err why = { 0 };
	int fd = -1, status = warm_start(en, w, spec, &fd, &why);

	if (status < 0) {
		say_it_boots(&why);
		warm_drop(en, w);
		return begin_run(en, spec, how, e);
	}
	status = begin_started(en, spec, how, status, fd);
	if (status == STATUS_NEVER_BEGAN) /* it may be the memory: the next is made anew */
		warm_drop(en, w);
	return status;
}

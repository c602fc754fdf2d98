/* rules.c - profile + capabilities + kernel -> rules */
#include "seccomp/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define GO_ARCH "amd64"

static bool kernel_at_least(const char *release, const char *min)
{
	unsigned major, minor, want_major, want_minor;

	if (profile_kernel_version(release, &major, &minor) < 0 ||
	    profile_kernel_version(min, &want_major, &want_minor) < 0)
		return false;
	return major > want_major || (major == want_major && minor >= want_minor);
}

/* Docker's rule: each thing that `includes` names must be there ... */
static bool is_included(const struct profile_filter *f, const struct rule_facts *facts)
{
	for (size_t i = 0; i < f->caps.n; i++)
		if (!strv_has(facts->caps, f->caps.v[i]))
			return false;
	if (f->arches.n && !strv_has(&f->arches, GO_ARCH))
		return false;
	return !f->min_kernel || kernel_at_least(facts->kernel_release, f->min_kernel);
}

/* ... and nothing that `excludes` names. */
static bool is_excluded(const struct profile_filter *f, const struct rule_facts *facts)
{
	for (size_t i = 0; i < f->caps.n; i++)
		if (strv_has(facts->caps, f->caps.v[i]))
			return true;
	return strv_has(&f->arches, GO_ARCH) ||
	       (f->min_kernel && kernel_at_least(facts->kernel_release, f->min_kernel));
}

static struct scmp_arg_cmp make_cmp(const struct profile_arg *a)
{
	struct scmp_arg_cmp c = { .arg = (unsigned)a->index, .datum_a = a->value, .datum_b = a->value_two };
	int op = _SCMP_CMP_MIN;

	profile_operator(a->op, &op); /* checked by profile_parse */
	c.op = (enum scmp_compare)op;
	if (c.op == SCMP_CMP_MASKED_EQ)
		c.datum_b &= c.datum_a; /* libseccomp masks both sides too */
	else
		c.datum_b = 0;
	return c;
}

static int add_rule(struct ruleset *rs, const struct rule *r)
{
	if ((rs->n & (rs->n - 1)) == 0) {
		struct rule *more = reallocarray(rs->rules, rs->n ? rs->n * 2 : 1, sizeof(*more));

		if (!more)
			return -ENOMEM;
		rs->rules = more;
	}
	rs->rules[rs->n] = *r;
	rs->rules[rs->n].order = rs->n;
	rs->n++;
	return 0;
}

static bool has_repeated_index(const struct profile_syscall *s)
{
	unsigned seen = 0;

	for (size_t i = 0; i < s->n_args; i++) {
		if (seen & 1u << s->args[i].index)
			return true;
		seen |= 1u << s->args[i].index;
	}
	return false;
}

/* runc's rule: conditions on different arguments must all hold; once an index is repeated, each condition
 * is a rule of its own. */
static int add_number(struct ruleset *rs, const struct profile_syscall *s, struct rule rule)
{
	int r = 0;

	if (has_repeated_index(s)) {
		rule.n_cmp = 1;
		for (size_t i = 0; i < s->n_args && r == 0; i++) {
			rule.cmp[0] = make_cmp(&s->args[i]);
			r = add_rule(rs, &rule);
		}
		return r;
	}
	for (size_t i = 0; i < s->n_args; i++)
		rule.cmp[rule.n_cmp++] = make_cmp(&s->args[i]);
	return add_rule(rs, &rule);
}

/* < 0: unknown, or a call of another architecture. */
static int resolve(const char *name)
{
	return seccomp_syscall_resolve_name_arch(SCMP_ARCH_X86_64, name);
}

static int add_name(struct ruleset *rs, const struct profile_syscall *s, const char *name, uint32_t action)
{
	struct rule rule = { .action = action };

	rule.nr = resolve(name);
	if (rule.nr < 0)
		return 0;
	/* What the default says needs no rule, and libseccomp refuses it. */
	return action == rs->default_action ? 0 : add_number(rs, s, rule);
}

static int add_syscall(struct ruleset *rs, const struct profile_syscall *s, struct err *e)
{
	uint32_t action;
	int r = profile_action(s->action, s->errno_ret, s->errno_name, &action, e);

	if (r < 0)
		return r;
	if (s->name)
		r = add_name(rs, s, s->name, action);
	for (size_t i = 0; i < s->names.n && r == 0; i++)
		r = add_name(rs, s, s->names.v[i], action);
	return r < 0 ? err_set(e, -r, "out of memory") : 0;
}

static int by_number(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

static int largest_number(const struct profile *p)
{
	int largest = -1, nr;

	for (size_t i = 0; i < p->n_syscalls; i++) {
		const struct profile_syscall *s = &p->syscalls[i];

		for (size_t j = 0; j < s->names.n + (s->name != NULL); j++) {
			nr = resolve(s->name ? s->name : s->names.v[j]);
			if (nr > largest)
				largest = nr;
		}
	}
	return largest;
}

int ruleset_make(const struct profile *p, const struct rule_facts *f, struct ruleset *ret, struct err *e)
{
	AUTO(ruleset_done) struct ruleset rs = { .largest = largest_number(p) };
	int r = profile_action(p->default_action, p->default_errno_ret, p->default_errno_name,
			       &rs.default_action, e);

	for (size_t i = 0; i < p->n_syscalls && r == 0; i++)
		if (is_included(&p->syscalls[i].includes, f) && !is_excluded(&p->syscalls[i].excludes, f))
			r = add_syscall(&rs, &p->syscalls[i], e);
	if (r < 0)
		return r;
	if (rs.n)
		qsort(rs.rules, rs.n, sizeof(*rs.rules), by_number);
	*ret = rs;
	rs = (struct ruleset){ 0 };
	return 0;
}

void ruleset_done(struct ruleset *rs)
{
	free(rs->rules);
	*rs = (struct ruleset){ 0 };
}

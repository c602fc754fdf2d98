/* rules.c - profile + capabilities + kernel -> rules */
#include "seccomp/rules.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "seccomp/words.h"

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

	word_operator(a->op, &op); /* checked by profile_parse */
	c.op = (enum scmp_compare)op;
	if (c.op == SCMP_CMP_MASKED_EQ)
		c.datum_b &= c.datum_a; /* libseccomp masks both sides too */
	else
		c.datum_b = 0;
	return c;
}

static int append_rule(struct ruleset *rs, const struct rule *r)
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

/* The rule of a call behind another: "the first argument says so" in front of its own conditions, of which one on that
 * argument is lost, as libseccomp has it. */
static struct rule behind_door(const struct rule *rule, int door, unsigned which)
{
	struct rule r = { .nr = door, .action = rule->action, .n_cmp = 1 };

	r.cmp[0] = (struct scmp_arg_cmp){ .arg = 0, .op = SCMP_CMP_EQ, .datum_a = which };
	for (unsigned i = 0; i < rule->n_cmp; i++)
		if (rule->cmp[i].arg)
			r.cmp[r.n_cmp++] = rule->cmp[i];
	return r;
}

static int add_rule(struct ruleset *rs, const struct rule *rule)
{
	struct rule own = *rule, other;
	unsigned which;
	int door, r;

	if (rule->nr >= 0 || !rs->abi)
		return append_rule(rs, rule);
	if (rs->abi != SCMP_ARCH_X86 || !rules_mux(rule->nr, &own.nr, &door, &which))
		return 0; /* a call of another ABI */
	other = behind_door(rule, door, which);
	r = append_rule(rs, &other);
	return r == 0 && own.nr >= 0 ? append_rule(rs, &own) : r;
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

static int add_name(struct ruleset *rs, const struct profile_syscall *s, const char *name, uint32_t action)
{
	struct rule rule = { .action = action };

	rule.nr = seccomp_syscall_resolve_name_arch(rs->abi ? rs->abi : SCMP_ARCH_X86_64, name);
	if (rule.nr == __NR_SCMP_ERROR)
		return 0;
	/* What the default says needs no rule, and libseccomp refuses it. */
	return action == rs->default_action ? 0 : add_number(rs, s, rule);
}

static int add_syscall(struct ruleset *rs, const struct profile_syscall *s)
{
	uint32_t action = profile_action(s);
	int r = s->name ? add_name(rs, s, s->name, action) : 0;

	for (size_t i = 0; i < s->names.n && r == 0; i++)
		r = add_name(rs, s, s->names.v[i], action);
	return r;
}

static int by_number(const void *a, const void *b)
{
	const struct rule *x = a, *y = b;

	if (x->nr != y->nr)
		return x->nr < y->nr ? -1 : 1;
	return x->order < y->order ? -1 : x->order > y->order;
}

/* runc's rule: programs try a new call and fall back, if only they are told ENOSYS.  A default that lets calls pass, or
 * asks a tracer, may know newer ones. */
static bool hides_newer(uint32_t default_action)
{
	uint32_t action = default_action & SECCOMP_RET_ACTION_FULL;

	return action != SECCOMP_RET_ALLOW && action != SECCOMP_RET_LOG && action != SECCOMP_RET_TRACE &&
	       default_action != (SECCOMP_RET_ERRNO | ENOSYS);
}

static void find_newest(const struct profile *p, struct ruleset *rs)
{
	if (!rs->abi || !hides_newer(rs->default_action))
		return;
	for (size_t i = 0; i < p->n_syscalls; i++) {
		const struct profile_syscall *s = &p->syscalls[i];

		for (size_t j = 0; j < s->names.n + (s->name != NULL); j++) {
			int nr =
				seccomp_syscall_resolve_name_arch(rs->abi, s->name ? s->name : s->names.v[j]);

			if (nr >= 0 && (!rs->has_newer || (uint32_t)nr > rs->newest)) {
				rs->has_newer = true;
				rs->newest = (uint32_t)nr;
			}
		}
	}
}

static int make_ruleset(const struct profile *p, const struct rule_facts *f, uint32_t abi, struct ruleset *rs)
{
	int r = 0;

	*rs = (struct ruleset){ .abi = abi, .default_action = profile_default_action(p) };
	find_newest(p, rs);
	for (size_t i = 0; i < p->n_syscalls && r == 0; i++)
		if (is_included(&p->syscalls[i].includes, f) && !is_excluded(&p->syscalls[i].excludes, f))
			r = add_syscall(rs, &p->syscalls[i]);
	if (rs->n)
		qsort(rs->rules, rs->n, sizeof(*rs->rules), by_number);
	return r;
}

/* Other machines' architectures may be listed: no call here is one of theirs. */
static bool has_abi(const struct profile *p, uint32_t abi)
{
	uint32_t token;

	for (size_t i = 0; i < p->architectures.n; i++)
		if (word_arch(p->architectures.v[i], &token) == 0 && token == abi)
			return true;
	return false;
}

int rules_make(const struct profile *p, const struct rule_facts *f, struct rules *ret, struct err *e)
{
	static const uint32_t abis[RULES_ABIS] = { SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32 };
	AUTO(rules_done) struct rules rs = { 0 };

	if (make_ruleset(p, f, 0, &rs.asked) < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < RULES_ABIS; i++) {
		if (i > 0 && (!f->all_abis || !has_abi(p, abis[i])))
			continue;
		if (make_ruleset(p, f, abis[i], &rs.abi[rs.n++]) < 0)
			return err_set(e, ENOMEM, "out of memory");
	}
	*ret = rs;
	rs = (struct rules){ 0 };
	return 0;
}

void rules_done(struct rules *rs)
{
	free(rs->asked.rules);
	for (size_t i = 0; i < rs->n; i++)
		free(rs->abi[i].rules);
	*rs = (struct rules){ 0 };
}

const struct ruleset *rules_find(const struct rules *rs, uint32_t abi)
{
	for (size_t i = 0; i < rs->n; i++)
		if (rs->abi[i].abi == abi)
			return &rs->abi[i];
	return NULL;
}

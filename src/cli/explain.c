/* explain.c - ketch explain: which rule of --isolation=auto decides about an image and flags of run */
#include <errno.h>
#include <stdint.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/run_defaults.h"
#include "cli/run_options.h"
#include "engine/isolation.h"

struct rule_row {
	const char *isolation, *name, *text;
};

static const struct jfield rule_fields[] = {
	JK(J_STR, struct rule_row, isolation, "Isolation"),
	JK(J_STR, struct rule_row, name, "Rule"),
	JK(J_STR, struct rule_row, text, "When"),
	{ 0 },
};
static const struct jtable rule_table = { sizeof(struct rule_row), rule_fields };

static const struct listing_form form = {
	.row = &rule_table,
	.table = "table {{.Isolation}}\t{{.Rule}}\t{{.When}}",
};

static int add_rule(struct listing *l, const struct isolation_rule *r, struct err *e)
{
	const struct rule_row row = { isolation_names[r->isolation], r->name, r->text };

	return listing_add(l, &row, e);
}

static int print_rules(const char *format, const struct isolation_rule *first, size_t n, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	int r = listing_begin(&l, &form, format, false, e);

	for (size_t i = 0; i < n && r == 0 && first[i].name; i++)
		r = add_rule(&l, &first[i], e);
	return r == 0 ? listing_print(&l, e) : r;
}

static int explain_request(struct cli *c, struct run_args *a, struct strv *words, struct err *e)
{
	const struct isolation_rule *rule;
	struct engine *en;
	int r = run_args_take(a, words, e);

	if (r < 0)
		return r;
	en = cli_engine(c, e);
	r = en ? engine_explain(en, &a->rq, &rule, e) : -e->no;
	return r < 0 ? r : print_rules(a->format, rule, 1, e);
}

static int explain_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct run_args *a = args;
	int r;

	if (a->rules)
		return print_rules(a->format, isolation_rules, SIZE_MAX, e);
	if (!words->n)
		return err_set(e, EINVAL, "an image is wanted, or --rules");
	r = explain_request(c, a, words, e);
	run_args_drop(a);
	return r;
}

static const struct run_args explain_defaults = { .pids_limit = PIDS_NOT_GIVEN, .part.sig_proxy = true };
const struct command cmd_explain = {
	.name = "explain",
	.usage = "[IMAGE [COMMAND] [ARG...]]",
	.summary = "Say which wall --isolation=auto would choose, and why",
	.text = "Takes the flags of ketch run and makes nothing.  The rules, in their order; the first that "
		"fires decides: foreign-os, foreign-arch, machine (--kernel, --driver), label "
		"(ketch.isolation=vm), untrusted (label ketch.trust=untrusted, of the image or given "
		"with -l), privileged, capabilities (more than Docker's 14), devices, modules (a mount "
		"of /lib/modules), sysctl (of no namespace), unconfined: a virtual machine.  default: a "
		"container.  --rules prints them all.\n\n"
		"Where a rule wants a virtual machine and this host cannot run one, --isolation=auto "
		"fails: it never falls back to a container.  --isolation=container says that you trust "
		"what runs.",
	.opts = explain_opts,
	.args_size = sizeof(struct run_args),
	.defaults = &explain_defaults,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.grammar = OPTS_FIRST,
	.failure = STATUS_USAGE,
	.prepare = run_prepare,
	.run = explain_run,
};

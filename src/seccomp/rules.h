/* rules.h - what a profile means for one container on this machine: a flat list of rules; pure
 *
 * Conditions (capabilities, architecture, kernel) are decided, names are numbers of x86_64, and names that
 * this libseccomp does not know are gone, as with Docker: the default action then answers.
 */
#ifndef SECCOMP_RULES_H
#define SECCOMP_RULES_H

#include <seccomp.h>
#include <stdint.h>

#include "seccomp/profile.h"

struct rule {
	int nr;
	uint32_t action; /* SECCOMP_RET_* with its data */
	size_t order; /* in the profile */
	unsigned n_cmp; /* all must hold; 0: always */
	struct scmp_arg_cmp cmp[6];
};

struct ruleset {
	uint32_t default_action;
	int largest; /* number of the newest call that the profile names; -1: none */
	struct rule *rules; /* by number; of one number as in the profile */
	size_t n;
};

/* What conditions are decided by. */
struct rule_facts {
	const struct strv *caps; /* the bounding set */
	const char *kernel_release; /* uname -r */
};

int ruleset_make(const struct profile *p, const struct rule_facts *f, struct ruleset *ret, struct err *e);
void ruleset_done(struct ruleset *rs);

#endif

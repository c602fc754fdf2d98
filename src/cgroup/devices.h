/* devices.h - which device nodes may be opened: an ordered list of rules, for cgroup v1 files or as a v2 program
 *
 * As text a rule is what the v1 files take, with '-' in front of one that forbids: "-a *:* rwm,c 1:3 rwm,-b 8:* w".  A
 * later rule wins over an earlier one; what no rule names is forbidden.
 */
#ifndef CGROUP_DEVICES_H
#define CGROUP_DEVICES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define DEVICE_ALL_ACCESS 7 /* BPF_DEVCG_ACC_* */
#define DEVICE_RULES_MAX  1024

struct device_rule {
	bool forbid;
	char type; /* 'c', 'b', or 'a': both */
	int64_t major, minor; /* -1: any */
	unsigned access; /* BPF_DEVCG_ACC_* */
};

/* Start from { 0 }. */
struct device_rules {
	struct device_rule *v;
	size_t n;
};

/* Parses one rule.  0 or -EINVAL. */
int device_rule_parse(const char *text, struct device_rule *ret);
/* Does it decide about every access to every device, whatever the rules before it say? */
bool device_rule_is_everything(const struct device_rule *d);
/* Appends one to the list.  0, -ENOMEM or -E2BIG. */
int device_rules_add(struct device_rules *l, const struct device_rule *rule);
void device_rules_done(struct device_rules *l);
/* Parses a list.  -EINVAL with the rule in e. */
int device_rules_parse(const char *text, struct device_rules *ret, struct err *e);
void device_rules_print(const struct device_rules *l, struct buf *out);

/* What cgroup v1 can hold: a behaviour for all devices, and exceptions to it. */
struct device_policy {
	bool forbid;
	struct device_rules exceptions;
};

/* The policy that the list comes to.  -ENOTSUP and *ret_bad, the index of a rule that would be an exception to a wider
 * exception (a forbidden device within an allowed range): v1 cannot tell that. */
int device_policy_make(const struct device_rules *l, struct device_policy *ret, size_t *ret_bad);
void device_policy_done(struct device_policy *p);

/* v1: writes the rules to devices.deny and devices.allow of the directory. */
int devices_apply_v1(const char *dir, const char *rules, struct err *e);
/* v2: attaches a program that decides by the rules. */
int devices_apply_v2(int cgroup_fd, const char *rules, struct err *e);

#endif

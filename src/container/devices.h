/* devices.h - which device nodes may be opened: a list of rules, for cgroup v1 files or as a v2 program */
#ifndef CONTAINER_DEVICES_H
#define CONTAINER_DEVICES_H

#include <stdint.h>

#include "base/err.h"

/* Rules as the v1 file takes them, separated by commas: "c 1:3 rwm,b *:* m".  What no rule allows is refused. */
struct device_rule {
	char type; /* 'c' or 'b' */
	int64_t major, minor; /* -1: any */
	unsigned access; /* BPF_DEVCG_ACC_* */
};

/* Parses one rule.  0 or -EINVAL. */
int device_rule_parse(const char *text, struct device_rule *ret);
/* v1: writes the rules to devices.deny and devices.allow of the directory. */
int devices_apply_v1(const char *dir, const char *rules, struct err *e);
/* v2: attaches a program that decides by the rules. */
int devices_apply_v2(int cgroup_fd, const char *rules, struct err *e);

#endif

/* profile.c - tables of Docker's seccomp profile and the checks on it
 *
 * Format: https://github.com/opencontainers/runtime-spec (config-linux.md, Seccomp) with Docker's additions
 * archMap, includes, excludes and Podman's errno names.
 */
#include "seccomp/profile.h"

#include <ctype.h>
#include <errno.h>
#include <seccomp.h>
#include <string.h>

#include "base/auto.h"

#define ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */

static const struct jfield filter_fields[] = {
	J(J_STRV, struct profile_filter, caps),
	J(J_STRV, struct profile_filter, arches),
	JK(J_STR, struct profile_filter, min_kernel, "minKernel"),
	{ 0 },
};
static const struct jtable filter_table = { sizeof(struct profile_filter), filter_fields };

static const struct jfield arg_fields[] = {
	J(J_U64, struct profile_arg, index),
	J(J_U64, struct profile_arg, value),
	JK(J_U64, struct profile_arg, value_two, "valueTwo"),
	J(J_STR, struct profile_arg, op),
	{ 0 },
};
static const struct jtable arg_table = { sizeof(struct profile_arg), arg_fields };

static const struct jfield syscall_fields[] = {
	J(J_STR, struct profile_syscall, name),
	J(J_STRV, struct profile_syscall, names),
	J(J_STR, struct profile_syscall, action),
	JK(J_U64, struct profile_syscall, errno_ret, "errnoRet"),
	JK(J_STR, struct profile_syscall, errno_name, "errno"),
	JA(struct profile_syscall, args, n_args, "args", &arg_table),
	J(J_STR, struct profile_syscall, comment),
	JO(struct profile_syscall, includes, "includes", &filter_table),
	JO(struct profile_syscall, excludes, "excludes", &filter_table),
	{ 0 },
};
static const struct jtable syscall_table = { sizeof(struct profile_syscall), syscall_fields };

static const struct jfield arch_fields[] = {
	JK(J_STR, struct profile_arch, arch, "architecture"),
	JK(J_STRV, struct profile_arch, sub, "subArchitectures"),
	{ 0 },
};
static const struct jtable arch_table = { sizeof(struct profile_arch), arch_fields };

static const struct jfield profile_fields[] = {
	JK(J_STR, struct profile, default_action, "defaultAction"),
	JK(J_U64, struct profile, default_errno_ret, "defaultErrnoRet"),
	JK(J_STR, struct profile, default_errno_name, "defaultErrno"),
	J(J_STRV, struct profile, architectures),
	JA(struct profile, arch_map, n_arch_map, "archMap", &arch_table),
	J(J_STRV, struct profile, flags),
	JK(J_STR, struct profile, listener_path, "listenerPath"),
	JA(struct profile, syscalls, n_syscalls, "syscalls", &syscall_table),
	{ 0 },
};
static const struct jtable profile_table = { sizeof(struct profile), profile_fields };

static const struct {
	const char *name;
	uint32_t value;
	bool has_errno;
} actions[] = {
	{ "SCMP_ACT_ALLOW", SCMP_ACT_ALLOW, false },
	{ "SCMP_ACT_ERRNO", SCMP_ACT_ERRNO(0), true },
	{ "SCMP_ACT_KILL", SCMP_ACT_KILL_THREAD, false },
	{ "SCMP_ACT_KILL_PROCESS", SCMP_ACT_KILL_PROCESS, false },
	{ "SCMP_ACT_KILL_THREAD", SCMP_ACT_KILL_THREAD, false },
	{ "SCMP_ACT_LOG", SCMP_ACT_LOG, false },
	{ "SCMP_ACT_TRACE", SCMP_ACT_TRACE(0), true },
	{ "SCMP_ACT_TRAP", SCMP_ACT_TRAP, false },
};

static const struct {
	const char *name;
	int value;
} operators[] = {
	{ "SCMP_CMP_EQ", SCMP_CMP_EQ }, { "SCMP_CMP_GE", SCMP_CMP_GE },
	{ "SCMP_CMP_GT", SCMP_CMP_GT }, { "SCMP_CMP_LE", SCMP_CMP_LE },
	{ "SCMP_CMP_LT", SCMP_CMP_LT }, { "SCMP_CMP_MASKED_EQ", SCMP_CMP_MASKED_EQ },
	{ "SCMP_CMP_NE", SCMP_CMP_NE },
};

static int errno_by_name(const char *name)
{
	for (int no = 1; no < 256; no++) {
		const char *s = strerrorname_np(no);

		if (s && !strcmp(s, name))
			return no;
	}
	return -EINVAL;
}

/* The errno that an action carries: the number, the name, or EPERM. */
static int action_errno(uint64_t no, const char *name, uint32_t *ret, struct err *e)
{
	int by_name = name && *name ? errno_by_name(name) : 0;

	if (by_name < 0)
		return err_set(e, EINVAL, "unknown errno \"%.40s\"", name);
	if (no > ERRNO_MAX)
		return err_set(e, ERANGE, "errnoRet: number out of range");
	if (by_name && no && no != (uint64_t)by_name)
		return err_set(e, EINVAL, "errno \"%.40s\" and errnoRet differ", name);
	*ret = by_name ? (uint32_t)by_name : no ? (uint32_t)no : EPERM;
	return 0;
}

int profile_action(const char *action, uint64_t errno_ret, const char *errno_name, uint32_t *ret,
		   struct err *e)
{
	uint32_t no = 0;
	int r;

	if (!action || !*action)
		return err_set(e, EINVAL, "action is missing");
	if (!strcmp(action, "SCMP_ACT_NOTIFY"))
		return err_set(e, EINVAL, "SCMP_ACT_NOTIFY is not supported");
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		if (strcmp(actions[i].name, action))
			continue;
		r = action_errno(errno_ret, errno_name, &no, e);
		if (r == 0)
			*ret = actions[i].value | (actions[i].has_errno ? no : 0);
		return r;
	}
	return err_set(e, EINVAL, "unknown action \"%.40s\"", action);
}

int profile_operator(const char *name, int *ret)
{
	for (size_t i = 0; name && i < ARRAY_LEN(operators); i++) {
		if (!strcmp(operators[i].name, name)) {
			*ret = operators[i].value;
			return 0;
		}
	}
	return -EINVAL;
}

static const char *read_number(const char *s, unsigned *ret)
{
	unsigned n = 0;

	if (!isdigit((unsigned char)*s))
		return NULL;
	for (; isdigit((unsigned char)*s); s++) {
		n = n * 10 + (unsigned)(*s - '0');
		if (n > 9999)
			return NULL;
	}
	*ret = n;
	return s;
}

int profile_kernel_version(const char *s, unsigned *ret_major, unsigned *ret_minor)
{
	unsigned major, minor;

	s = read_number(s, &major);
	if (!s || *s != '.')
		return -EINVAL;
	s = read_number(s + 1, &minor);
	if (!s || (*s && !strchr(".-+~", *s)))
		return -EINVAL;
	*ret_major = major;
	*ret_minor = minor;
	return 0;
}

static bool is_capability_name(const char *s)
{
	return !strncmp(s, "CAP_", 4) && s[4] &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(s);
}

static int check_filter(const struct profile_filter *f, struct err *e)
{
	unsigned major, minor;

	for (size_t i = 0; i < f->caps.n; i++)
		if (!is_capability_name(f->caps.v[i]))
			return err_set(e, EINVAL, "caps: bad name \"%.40s\"", f->caps.v[i]);
	if (f->min_kernel && profile_kernel_version(f->min_kernel, &major, &minor) < 0)
		return err_set(e, EINVAL, "minKernel: bad version \"%.40s\"", f->min_kernel);
	return 0;
}

static int check_args(const struct profile_syscall *s, struct err *e)
{
	int op;

	if (s->n_args > 64)
		return err_set(e, E2BIG, "args: more than 64");
	for (size_t i = 0; i < s->n_args; i++) {
		const struct profile_arg *a = &s->args[i];

		if (a->index > 5)
			return err_set(e, ERANGE, "args: index %llu is not 0 to 5",
				       (unsigned long long)a->index);
		if (profile_operator(a->op, &op) < 0)
			return err_set(e, EINVAL, "args: unknown op \"%.40s\"", a->op ? a->op : "");
	}
	return 0;
}

static int check_syscall(const struct profile_syscall *s, struct err *e)
{
	uint32_t action;
	int r;

	if (s->name && s->names.n)
		return err_set(e, EINVAL, "both name and names are given");
	if (!s->name && !s->names.n)
		return err_set(e, EINVAL, "names is missing");
	r = profile_action(s->action, s->errno_ret, s->errno_name, &action, e);
	if (r == 0)
		r = check_args(s, e);
	if (r == 0)
		r = check_filter(&s->includes, e);
	return r == 0 ? check_filter(&s->excludes, e) : r;
}

static int check_arches(const struct profile *p, struct err *e)
{
	if (p->architectures.n && p->n_arch_map)
		return err_set(e, EINVAL, "both architectures and archMap are given");
	for (size_t i = 0; i < p->architectures.n; i++)
		if (strncmp(p->architectures.v[i], "SCMP_ARCH_", 10))
			return err_set(e, EINVAL, "unknown architecture \"%.40s\"", p->architectures.v[i]);
	for (size_t i = 0; i < p->n_arch_map; i++)
		if (!p->arch_map[i].arch || strncmp(p->arch_map[i].arch, "SCMP_ARCH_", 10))
			return err_set(e, EINVAL, "archMap: unknown architecture \"%.40s\"",
				       p->arch_map[i].arch ? p->arch_map[i].arch : "");
	return 0;
}

static int check(const struct profile *p, struct err *e)
{
	uint32_t action;
	size_t n = 0;
	int r;

	r = profile_action(p->default_action, p->default_errno_ret, p->default_errno_name, &action, e);
	if (r < 0)
		return err_wrap(e, r, "defaultAction");
	if (p->flags.n)
		return err_set(e, EINVAL, "flag \"%.40s\" is not supported", p->flags.v[0]);
	if (p->listener_path && *p->listener_path)
		return err_set(e, EINVAL, "listenerPath is not supported");
	r = check_arches(p, e);
	for (size_t i = 0; i < p->n_syscalls && r == 0; i++) {
		r = check_syscall(&p->syscalls[i], e);
		if (r < 0)
			return err_wrap(e, r, "syscalls[%zu]", i);
		n += p->syscalls[i].names.n + 1;
	}
	if (r == 0 && n > PROFILE_MAX_NAMES)
		return err_set(e, E2BIG, "more than %d system calls", PROFILE_MAX_NAMES);
	return r;
}

int profile_parse(const char *text, size_t n, struct profile *ret, struct err *e)
{
	struct profile p = { 0 };
	int r;

	if (n > PROFILE_MAX_BYTES)
		return err_set(e, EFBIG, "larger than %d bytes", PROFILE_MAX_BYTES);
	r = json_parse(&profile_table, text, n, JSON_STRICT, &p, e);
	if (r == 0)
		r = check(&p, e);
	if (r < 0) {
		profile_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void profile_done(struct profile *p)
{
	json_done(&profile_table, p);
}

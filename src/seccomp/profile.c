/* profile.c - tables of both dialects and the checks on them
 *
 * Format: https://github.com/opencontainers/runtime-spec (config-linux.md, Seccomp); in files with Docker's additions
 * archMap, includes, excludes and Podman's errno names.
 */
#include "seccomp/profile.h"

#include <ctype.h>
#include <errno.h>
#include <linux/seccomp.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "seccomp/words.h"

#define ERRNO_MAX 4095 /* the kernel's MAX_ERRNO */
#define MAX_ARGS  64 /* of one entry */

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
	JK(J_OPT_I64, struct profile_syscall, errno_ret, "errnoRet"),
	JK(J_STR, struct profile_syscall, errno_name, "errno"),
	JA(struct profile_syscall, args, n_args, "args", &arg_table),
	J(J_STR, struct profile_syscall, comment),
	JO(struct profile_syscall, includes, "includes", &filter_table),
	JO(struct profile_syscall, excludes, "excludes", &filter_table),
	{ 0 },
};
static const struct jtable syscall_table = { sizeof(struct profile_syscall), syscall_fields };

static const struct jfield oci_syscall_fields[] = {
	J(J_STRV, struct profile_syscall, names),
	J(J_STR, struct profile_syscall, action),
	JK(J_OPT_I64, struct profile_syscall, errno_ret, "errnoRet"),
	JA(struct profile_syscall, args, n_args, "args", &arg_table),
	{ 0 },
};
static const struct jtable oci_syscall_table = { sizeof(struct profile_syscall), oci_syscall_fields };

static const struct jfield arch_fields[] = {
	JK(J_STR, struct profile_arch, arch, "architecture"),
	JK(J_STRV, struct profile_arch, sub, "subArchitectures"),
	{ 0 },
};
static const struct jtable arch_table = { sizeof(struct profile_arch), arch_fields };

static const struct jfield profile_fields[] = {
	JK(J_STR, struct profile, default_action, "defaultAction"),
	JK(J_OPT_I64, struct profile, default_errno_ret, "defaultErrnoRet"),
	JK(J_STR, struct profile, default_errno_name, "defaultErrno"),
	J(J_STRV, struct profile, architectures),
	JA(struct profile, arch_map, n_arch_map, "archMap", &arch_table),
	J(J_STRV, struct profile, flags),
	JK(J_STR, struct profile, listener_path, "listenerPath"),
	JK(J_STR, struct profile, listener_metadata, "listenerMetadata"),
	JA(struct profile, syscalls, n_syscalls, "syscalls", &syscall_table),
	{ 0 },
};
static const struct jtable profile_table = { sizeof(struct profile), profile_fields };

static const struct jfield oci_fields[] = {
	JK(J_STR, struct profile, default_action, "defaultAction"),
	JK(J_OPT_I64, struct profile, default_errno_ret, "defaultErrnoRet"),
	J(J_STRV, struct profile, architectures),
	J(J_STRV, struct profile, flags),
	JK(J_STR, struct profile, listener_path, "listenerPath"),
	JK(J_STR, struct profile, listener_metadata, "listenerMetadata"),
	JA(struct profile, syscalls, n_syscalls, "syscalls", &oci_syscall_table),
	{ 0 },
};
static const struct jtable oci_table = { sizeof(struct profile), oci_fields };

/* --- what a checked profile means */

/* An action that was checked, with its errno: the number, the name, or EPERM. */
static uint32_t action_value(const char *action, const struct opt_i64 *no, const char *no_name)
{
	uint32_t value = SECCOMP_RET_KILL_PROCESS, by_name = EPERM;
	bool has_errno = false;

	word_action(action, &value, &has_errno);
	if (!has_errno)
		return value;
	if (no_name)
		word_errno(no_name, &by_name);
	return value | (no->set ? (uint32_t)no->v : by_name);
}

uint32_t profile_default_action(const struct profile *p)
{
	return action_value(p->default_action, &p->default_errno_ret, p->default_errno_name);
}

uint32_t profile_action(const struct profile_syscall *s)
{
	return action_value(s->action, &s->errno_ret, s->errno_name);
}

bool profile_has_action(const struct profile *p, uint32_t action)
{
	for (size_t i = 0; i < p->n_syscalls; i++)
		if (profile_action(&p->syscalls[i]) == action)
			return true;
	return false;
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

/* --- checks */

/* What is checked, and where it stands. */
struct check {
	enum profile_dialect dialect;
	char where[32]; /* "" or "syscalls[3]." */
	struct err *e;
};

/* An action with its errno, as a number or (in files) a name. */
struct action_words {
	const char *action_key, *action;
	const char *errno_key;
	struct opt_i64 no;
	const char *errno_name;
};

static int check_errno(const struct check *c, const struct action_words *a)
{
	uint32_t by_name;

	if (a->no.set && (a->no.v < 0 || a->no.v > ERRNO_MAX))
		return err_set(c->e, ERANGE, "%s%s: %lld is not 0 to %d", c->where, a->errno_key,
			       (long long)a->no.v, ERRNO_MAX);
	if (!a->errno_name || !*a->errno_name)
		return 0;
	if (word_errno(a->errno_name, &by_name) < 0)
		return err_set(c->e, EINVAL, "%s%s: unknown errno \"%.40s\"", c->where, a->errno_key,
			       a->errno_name);
	if (a->no.set && a->no.v != by_name)
		return err_set(c->e, EINVAL, "%s%s: %lld is not %.40s", c->where, a->errno_key,
			       (long long)a->no.v, a->errno_name);
	return 0;
}

static int check_action(const struct check *c, const struct action_words *a)
{
	uint32_t value;
	bool has_errno;

	if (!a->action || !*a->action)
		return err_set(c->e, EINVAL, "%s%s: missing", c->where, a->action_key);
	if (word_action(a->action, &value, &has_errno) < 0)
		return err_set(c->e, EINVAL, "%s%s: unknown action \"%.40s\"", c->where, a->action_key,
			       a->action);
	if (c->dialect == PROFILE_FILE && value == SECCOMP_RET_USER_NOTIF)
		return err_set(c->e, EINVAL, "%s%s: SCMP_ACT_NOTIFY is not supported", c->where,
			       a->action_key);
	/* config-linux.md: where the action has no errno, the runtime must fail.  Docker's files are laxer. */
	if (c->dialect == PROFILE_OCI && a->no.set && !has_errno)
		return err_set(c->e, EINVAL, "%s%s: %s takes no errno", c->where, a->errno_key, a->action);
	return check_errno(c, a);
}

static bool is_capability_name(const char *s)
{
	return !strncmp(s, "CAP_", 4) && s[4] &&
	       strspn(s, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_") == strlen(s);
}

static int check_filter(const struct check *c, const char *key, const struct profile_filter *f)
{
	unsigned major, minor;

	for (size_t i = 0; i < f->caps.n; i++)
		if (!is_capability_name(f->caps.v[i]))
			return err_set(c->e, EINVAL, "%s%s.caps[%zu]: bad name \"%.40s\"", c->where, key, i,
				       f->caps.v[i]);
	if (f->min_kernel && profile_kernel_version(f->min_kernel, &major, &minor) < 0)
		return err_set(c->e, EINVAL, "%s%s.minKernel: bad version \"%.40s\"", c->where, key,
			       f->min_kernel);
	return 0;
}

static int check_args(const struct check *c, const struct profile_syscall *s)
{
	int op;

	if (s->n_args > MAX_ARGS)
		return err_set(c->e, E2BIG, "%sargs: more than %d", c->where, MAX_ARGS);
	for (size_t i = 0; i < s->n_args; i++) {
		const struct profile_arg *a = &s->args[i];

		if (a->index > 5)
			return err_set(c->e, ERANGE, "%sargs[%zu].index: %llu is not 0 to 5", c->where, i,
				       (unsigned long long)a->index);
		if (word_operator(a->op, &op) < 0)
			return err_set(c->e, EINVAL, "%sargs[%zu].op: unknown operator \"%.40s\"", c->where,
				       i, a->op ? a->op : "");
	}
	return 0;
}

static int check_syscall(const struct check *c, const struct profile_syscall *s)
{
	const struct action_words a = { "action", s->action, "errnoRet", s->errno_ret, s->errno_name };
	int r;

	if (s->name && s->names.n)
		return err_set(c->e, EINVAL, "%sname: names is there, too", c->where);
	if (!s->name && !s->names.n)
		return err_set(c->e, EINVAL, "%snames: missing", c->where);
	for (size_t i = 0; i < s->names.n; i++)
		if (!*s->names.v[i])
			return err_set(c->e, EINVAL, "%snames[%zu]: empty", c->where, i);
	r = check_action(c, &a);
	if (r == 0)
		r = check_args(c, s);
	if (r == 0)
		r = check_filter(c, "includes", &s->includes);
	return r == 0 ? check_filter(c, "excludes", &s->excludes) : r;
}

static int check_arches(const struct check *c, const struct profile *p)
{
	uint32_t token;

	if (p->architectures.n && p->n_arch_map)
		return err_set(c->e, EINVAL, "architectures: archMap is there, too");
	for (size_t i = 0; i < p->architectures.n; i++)
		if (word_arch(p->architectures.v[i], &token) < 0)
			return err_set(c->e, EINVAL, "architectures[%zu]: unknown architecture \"%.40s\"", i,
				       p->architectures.v[i]);
	for (size_t i = 0; i < p->n_arch_map; i++)
		if (word_arch(p->arch_map[i].arch, &token) < 0)
			return err_set(c->e, EINVAL,
				       "archMap[%zu].architecture: unknown architecture \"%.40s\"", i,
				       p->arch_map[i].arch ? p->arch_map[i].arch : "");
	return 0;
}

static int check_flags(const struct check *c, const struct profile *p)
{
	uint32_t flag;

	for (size_t i = 0; i < p->flags.n; i++)
		if (word_flag(p->flags.v[i], &flag) < 0)
			return err_set(c->e, EINVAL, "flags[%zu]: unknown flag \"%.60s\"", i, p->flags.v[i]);
	if (c->dialect == PROFILE_OCI)
		return 0;
	if (p->flags.n)
		return err_set(c->e, EINVAL, "flags[0]: \"%.40s\" is not supported", p->flags.v[0]);
	if (p->listener_path && *p->listener_path)
		return err_set(c->e, EINVAL, "listenerPath: not supported");
	return 0;
}

/* A call that asks a supervisor needs one, and the first to ask must not be the one that makes it known: write(2)
 * tells the runtime that the filter is in place. */
static int check_notify(const struct check *c, const struct profile *p)
{
	if (c->dialect == PROFILE_FILE)
		return 0;
	if (p->listener_metadata && *p->listener_metadata && (!p->listener_path || !*p->listener_path))
		return err_set(c->e, EINVAL, "listenerMetadata: there is no listenerPath");
	if (profile_default_action(p) == SECCOMP_RET_USER_NOTIF)
		return err_set(c->e, EINVAL, "defaultAction: SCMP_ACT_NOTIFY cannot be the default");
	for (size_t i = 0; i < p->n_syscalls; i++) {
		const struct profile_syscall *s = &p->syscalls[i];

		if (profile_action(s) != SECCOMP_RET_USER_NOTIF)
			continue;
		if (!p->listener_path || !*p->listener_path)
			return err_set(c->e, EINVAL,
				       "listenerPath: missing, as syscalls[%zu] is SCMP_ACT_NOTIFY", i);
		if (strv_has(&s->names, "write"))
			return err_set(c->e, EINVAL,
				       "syscalls[%zu].action: SCMP_ACT_NOTIFY cannot be used for write", i);
	}
	return 0;
}

static int check_syscalls(struct check *c, const struct profile *p)
{
	size_t names = 0;
	int r = 0;

	for (size_t i = 0; i < p->n_syscalls && r == 0; i++) {
		snprintf(c->where, sizeof(c->where), "syscalls[%zu].", i);
		r = check_syscall(c, &p->syscalls[i]);
		names += p->syscalls[i].names.n + 1;
	}
	c->where[0] = '\0';
	if (r == 0 && names > PROFILE_MAX_NAMES)
		return err_set(c->e, E2BIG, "syscalls: more than %d names", PROFILE_MAX_NAMES);
	return r;
}

static int check(struct check *c, const struct profile *p)
{
	const struct action_words a = { "defaultAction", p->default_action, "defaultErrnoRet",
					p->default_errno_ret, p->default_errno_name };
	int r = check_action(c, &a);

	if (r == 0)
		r = check_flags(c, p);
	if (r == 0)
		r = check_arches(c, p);
	if (r == 0)
		r = check_syscalls(c, p);
	return r == 0 ? check_notify(c, p) : r;
}

int profile_parse(const char *text, size_t n, enum profile_dialect d, struct profile *ret, struct err *e)
{
	struct check c = { .dialect = d, .e = e };
	struct profile p = { 0 };
	int r;

	if (n > PROFILE_MAX_BYTES)
		return err_set(e, EFBIG, "larger than %d bytes", PROFILE_MAX_BYTES);
	if (d == PROFILE_OCI)
		r = json_parse(&oci_table, text, n, 0, &p, e);
	else
		r = json_parse(&profile_table, text, n, JSON_STRICT, &p, e);
	if (r == 0)
		r = check(&c, &p);
	if (r < 0) {
		profile_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

/* The file's table has every member that the other has. */
void profile_done(struct profile *p)
{
	json_done(&profile_table, p);
}

/* devices.c - lists of device rules: text, and what they come to on cgroup v1 */
#include "cgroup/devices.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/bpf.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/strv.h"

static int parse_number(const char *s, int64_t *ret)
{
	uint32_t v;

	if (!strcmp(s, "*")) {
		*ret = -1;
		return 0;
	}
	if (parse_u32(s, &v) < 0)
		return -EINVAL;
	*ret = v;
	return 0;
}

static int parse_access(const char *s, unsigned *ret)
{
	unsigned a = 0;

	for (; *s; s++) {
		if (*s == 'r')
			a |= BPF_DEVCG_ACC_READ;
		else if (*s == 'w')
			a |= BPF_DEVCG_ACC_WRITE;
		else if (*s == 'm')
			a |= BPF_DEVCG_ACC_MKNOD;
		else
			return -EINVAL;
	}
	*ret = a;
	return a ? 0 : -EINVAL;
}

int device_rule_parse(const char *text, struct device_rule *ret)
{
	AUTO(strv_done) struct strv w = { 0 };
	struct device_rule d = { .forbid = *text == '-' };

	if (strv_split(&w, text + d.forbid, " :") < 0)
		return -ENOMEM;
	if (w.n != 4 || strlen(w.v[0]) != 1 || !strchr("acb", *w.v[0]))
		return -EINVAL;
	d.type = w.v[0][0];
	if (parse_number(w.v[1], &d.major) < 0 || parse_number(w.v[2], &d.minor) < 0 ||
	    parse_access(w.v[3], &d.access) < 0)
		return -EINVAL;
	*ret = d;
	return 0;
}

int device_rules_add(struct device_rules *l, const struct device_rule *rule)
{
	struct device_rule *v;

	if (l->n >= DEVICE_RULES_MAX)
		return -E2BIG;
	v = reallocarray(l->v, l->n + 1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	l->v = v;
	l->v[l->n++] = *rule;
	return 0;
}

void device_rules_done(struct device_rules *l)
{
	free(l->v);
	*l = (struct device_rules){ 0 };
}

int device_rules_parse(const char *text, struct device_rules *ret, struct err *e)
{
	AUTO(device_rules_done) struct device_rules l = { 0 };
	AUTO(strv_done) struct strv list = { 0 };
	struct device_rule d;
	int r = strv_split(&list, text, ",");

	for (size_t i = 0; i < list.n && r == 0; i++) {
		if (device_rule_parse(list.v[i], &d) < 0)
			return err_set(e, EINVAL, "bad device rule \"%s\"", list.v[i]);
		r = device_rules_add(&l, &d);
	}
	if (r < 0)
		return err_sys(e, -r, "cannot keep the device rules");
	*ret = l;
	l = (struct device_rules){ 0 };
	return 0;
}

static void print_number(int64_t n, char end, struct buf *out)
{
	if (n < 0)
		buf_addf(out, "*%c", end);
	else
		buf_addf(out, "%lld%c", (long long)n, end);
}

static void print_rule(const struct device_rule *d, struct buf *out)
{
	buf_addf(out, "%c ", d->type);
	print_number(d->major, ':', out);
	print_number(d->minor, ' ', out);
	buf_addf(out, "%s%s%s", d->access & BPF_DEVCG_ACC_READ ? "r" : "",
		 d->access & BPF_DEVCG_ACC_WRITE ? "w" : "", d->access & BPF_DEVCG_ACC_MKNOD ? "m" : "");
}

void device_rules_print(const struct device_rules *l, struct buf *out)
{
	for (size_t i = 0; i < l->n; i++) {
		buf_addf(out, "%s%s", i ? "," : "", l->v[i].forbid ? "-" : "");
		print_rule(&l->v[i], out);
	}
}

/* --- v1 (Documentation/admin-guide/cgroup-v1/devices.rst): an exception is taken away only by one of just its devices */

bool device_rule_is_everything(const struct device_rule *d)
{
	return d->type == 'a' && d->major < 0 && d->minor < 0 && d->access == DEVICE_ALL_ACCESS;
}

static bool overlaps(const struct device_rule *a, const struct device_rule *b)
{
	return a->type == b->type && (a->major < 0 || b->major < 0 || a->major == b->major) &&
	       (a->minor < 0 || b->minor < 0 || a->minor == b->minor) && (a->access & b->access);
}

/* Are all devices of `small` devices of `big`? */
static bool covers(const struct device_rule *big, const struct device_rule *small)
{
	return big->type == small->type && (big->major < 0 || big->major == small->major) &&
	       (big->minor < 0 || big->minor == small->minor);
}

static int policy_except(struct device_policy *p, const struct device_rule *d)
{
	for (size_t i = 0; i < p->exceptions.n; i++) {
		struct device_rule *x = &p->exceptions.v[i];

		if (covers(x, d) && covers(d, x)) {
			x->access |= d->access;
			return 0;
		}
	}
	return device_rules_add(&p->exceptions, d);
}

static int policy_reinstate(struct device_policy *p, const struct device_rule *d)
{
	size_t kept = 0;

	for (size_t i = 0; i < p->exceptions.n; i++) {
		struct device_rule *x = &p->exceptions.v[i];

		if (overlaps(x, d)) {
			if (!covers(d, x))
				return -ENOTSUP;
			x->access &= ~d->access;
		}
		if (x->access)
			p->exceptions.v[kept++] = *x;
	}
	p->exceptions.n = kept;
	return 0;
}

static int policy_add(struct device_policy *p, const struct device_rule *d)
{
	struct device_rule c = *d, b = *d;
	int r;

	if (device_rule_is_everything(d)) {
		p->forbid = d->forbid;
		p->exceptions.n = 0;
		return 0;
	}
	if (d->type != 'a')
		return d->forbid == p->forbid ? policy_reinstate(p, d) : policy_except(p, d);
	/* the v1 files take every line with "a" for everything, whatever stands behind it */
	c.type = 'c';
	b.type = 'b';
	r = policy_add(p, &c);
	return r < 0 ? r : policy_add(p, &b);
}

int device_policy_make(const struct device_rules *l, struct device_policy *ret, size_t *ret_bad)
{
	AUTO(device_policy_done) struct device_policy p = { .forbid = true };

	for (size_t i = 0; i < l->n; i++) {
		int r = policy_add(&p, &l->v[i]);

		if (r == -ENOTSUP)
			*ret_bad = i;
		if (r < 0)
			return r;
	}
	*ret = p;
	p.exceptions = (struct device_rules){ 0 };
	return 0;
}

void device_policy_done(struct device_policy *p)
{
	device_rules_done(&p->exceptions);
}

/* A cgroup in which everything is allowed has that only from one that has it, too: there "a" need not be written. */
static bool allows_everything(int dirfd)
{
	AUTO(buf_done) struct buf b = { 0 };

	return read_file(dirfd, "devices.list", 65536, &b) == 0 && b.data && !strcmp(b.data, "a *:* rwm\n");
}

static int write_exceptions(int dirfd, const struct device_policy *p)
{
	autoclose int fd = openat(dirfd, p->forbid ? "devices.allow" : "devices.deny", O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	for (size_t i = 0; i < p->exceptions.n; i++) {
		AUTO(buf_done) struct buf line = { 0 };

		print_rule(&p->exceptions.v[i], &line);
		if (!buf_ok(&line))
			return -ENOMEM;
		if (write(fd, line.data, line.len) < 0)
			return -errno;
	}
	return 0;
}

int devices_apply_v1(const char *dir, const char *rules, struct err *e)
{
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(device_rules_done) struct device_rules list = { 0 };
	AUTO(device_policy_done) struct device_policy policy = { 0 };
	size_t bad;
	int r;

	if (fd < 0)
		return err_sys(e, errno, "cannot open the device cgroup");
	r = device_rules_parse(rules, &list, e);
	if (r < 0)
		return r;
	r = device_policy_make(&list, &policy, &bad);
	if (r == 0 && policy.forbid)
		r = write_existing(fd, "devices.deny", "a");
	else if (r == 0 && !allows_everything(fd))
		r = write_existing(fd, "devices.allow", "a");
	if (r == 0)
		r = write_exceptions(fd, &policy);
	return r < 0 ? err_sys(e, -r, "cannot set the device rules") : 0;
}

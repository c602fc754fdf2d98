/* rights.c - what a process may do: capability sets and limits */
#include "container/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sys/resource.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "sys/ns.h"
#include "sys/rlimit.h"

/* --- capabilities */

static int caps_of_names(const struct strv *caps, uint64_t *ret, struct err *e)
{
	uint64_t set = 0;

	for (size_t i = 0; i < caps->n; i++) {
		int n = cap_from_name(caps->v[i]);

		if (n < 0)
			return err_set(e, EINVAL, "unknown capability \"%.40s\"", caps->v[i]);
		set |= UINT64_C(1) << n;
	}
	*ret = set;
	return 0;
}

/* Inheritable and ambient sets stay empty: capabilities that survive exec of any program were four CVEs
 * (security.md A6).  A user other than root starts with none and can get them back only through a set-uid
 * program or file capabilities, within the bounding set. */
int rights_cap_sets(const struct strv *caps, uid_t uid, uint64_t have, struct cap_sets *ret, struct err *e)
{
	uint64_t set;
	int r = caps_of_names(caps, &set, e);

	if (r < 0)
		return r;
	set &= have;
	*ret = (struct cap_sets){
		.bounding = set,
		.permitted = uid ? 0 : set,
		.effective = uid ? 0 : set,
	};
	return 0;
}

/* The bounding set is as it was cut: every drop was confirmed. */
static int check_sets(const struct cap_sets *want, struct err *e)
{
	struct cap_sets now = { 0 };
	int r = caps_get(&now);

	if (r < 0)
		return err_sys(e, -r, "cannot read the capabilities");
	if (now.permitted != want->permitted || now.effective != want->effective ||
	    now.inheritable != want->inheritable || now.ambient != want->ambient)
		return err_set(e, EPERM, "the capabilities are not as they were set");
	return 0;
}

/* In the user namespace of somebody without rights the groups stay what they are (EPERM, with all capabilities): no
 * failure where no others are asked for. */
static int set_groups(const struct user *u)
{
	if (setgroups(u->n_groups, u->groups) == 0)
		return 0;
	for (size_t i = 0; i < u->n_groups; i++)
		if (errno != EPERM || u->groups[i] != u->gid)
			return -errno;
	return errno == EPERM ? 0 : -errno;
}

int rights_become(const struct user *u, const struct cap_sets *sets, struct err *e)
{
	int r = caps_limit_bounding(sets->bounding);

	if (r == 0 && u->uid && sets->permitted)
		r = caps_keep_over_setuid(true);
	if (r < 0)
		return err_sys(e, -r, "cannot limit the capabilities");
	if (set_groups(u) < 0 || setresgid(u->gid, u->gid, u->gid) < 0 ||
	    setresuid(u->uid, u->uid, u->uid) < 0)
		return err_sys(e, errno, "cannot become uid %u gid %u", u->uid, u->gid);
	r = caps_set(sets);
	if (r < 0)
		return err_sys(e, -r, "cannot set the capabilities");
	return check_sets(sets, e);
}

/* --- limits */

enum limit_fit rights_fit_limit(const struct rlimit_spec *asked, uint64_t hard, uint64_t *ret_soft,
				uint64_t *ret_hard)
{
	*ret_hard = asked->hard < hard ? asked->hard : hard;
	*ret_soft = asked->soft < *ret_hard ? asked->soft : *ret_hard;
	if (*ret_soft < asked->soft && *ret_soft < asked->hard)
		return LIMIT_CLAMPED;
	return *ret_hard < asked->hard ? LIMIT_HARD_KEPT : LIMIT_AS_ASKED;
}

int rights_highest_limit(int number, bool can_raise, uint64_t *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	uint64_t soft;

	if (!can_raise)
		return rlimit_get(number, &soft, ret);
	*ret = UINT64_MAX;
	if (number == RLIMIT_NOFILE && read_file(AT_FDCWD, "/proc/sys/fs/nr_open", 64, &b) == 0 && b.len) {
		b.data[b.len - 1] = '\0';
		parse_u64(b.data, ret); /* nobody may have more, with any capability */
	}
	return 0;
}

bool rights_can_raise(void)
{
	struct cap_sets s = { 0 };

	/* it counts only in the first user namespace */
	return caps_get(&s) == 0 && (s.effective >> CAP_SYS_RESOURCE & 1) && ns_is_first_user();
}

static int add_limit_warning(const struct rlimit_spec *l, bool can_raise, struct strv *ret)
{
	int number = rlimit_number(l->type);
	uint64_t highest, soft, hard;

	if (number < 0 || rights_highest_limit(number, can_raise, &highest) < 0)
		return 0;
	switch (rights_fit_limit(l, highest, &soft, &hard)) {
	case LIMIT_AS_ASKED:
		return 0;
	case LIMIT_HARD_KEPT:
		return strv_addf(ret,
				 "the hard limit of %s stays at %llu: this host does not let it be raised",
				 l->type, (unsigned long long)hard);
	case LIMIT_CLAMPED:
		break;
	}
	return strv_addf(ret,
			 "the limit of %s is %llu: this host does not let it be raised to what was asked",
			 l->type, (unsigned long long)soft);
}

int rights_warnings(const struct process *p, bool can_raise, struct strv *ret)
{
	uint64_t want, own;
	int r = 0;

	for (size_t i = 0; i < p->n_rlimits && r == 0; i++)
		r = add_limit_warning(&p->rlimits[i], can_raise, ret);
	if (!p->caps.n || caps_of_names(&p->caps, &want, NULL) < 0)
		return r;
	own = caps_bounding();
	for (int i = 0; cap_name(i) && r == 0; i++)
		if (want & ~own & UINT64_C(1) << i)
			r = strv_addf(ret, "%s is not given: this host does not have it", cap_name(i));
	return r;
}

int rights_apply_limits(const struct process *p, bool can_raise, struct err *e)
{
	for (size_t i = 0; i < p->n_rlimits; i++) {
		const struct rlimit_spec *l = &p->rlimits[i];
		int number = rlimit_number(l->type), r;
		uint64_t highest, soft, hard;

		if (number < 0)
			return err_set(e, EINVAL, "unknown limit \"%.40s\"", l->type);
		r = rights_highest_limit(number, can_raise, &highest);
		if (r == 0) {
			rights_fit_limit(l, highest, &soft, &hard);
			r = rlimit_set(number, soft, hard);
		}
		if (r < 0)
			return err_sys(e, -r, "cannot set the limit %s", l->type);
	}
	return 0;
}

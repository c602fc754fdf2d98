/* request_caps.c - --cap-add, --cap-drop, --privileged -> names of capabilities
 *
 * The default set has 11 (Podman's): Docker's 14 without NET_RAW, MKNOD and AUDIT_WRITE.
 */
#include <errno.h>
#include <linux/capability.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "engine/request.h"
#include "engine/request_int.h"
#include "sys/caps.h"

static const char *const default_caps[] = {
	"CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",	 "CAP_FSETID",
	"CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",	 "CAP_SETGID",
	"CAP_SETPCAP", "CAP_SETUID",	       "CAP_SYS_CHROOT",
};

/* "NET_ADMIN", "CAP_NET_ADMIN", any case -> bit; "ALL" -> every bit of this kernel. */
static int parse_cap(const char *name, uint64_t *ret, const char *flag, struct err *e)
{
	int cap;

	if (!strcasecmp(name, "ALL") || !strcasecmp(name, "CAP_ALL")) {
		*ret = caps_all();
		return 0;
	}
	cap = cap_from_name(name);
	if (cap < 0)
		return err_set(e, EINVAL, "%s: unknown capability '%.60s'", flag, name);
	*ret = UINT64_C(1) << cap;
	return 0;
}

static int parse_caps(const struct strv *names, const char *flag, uint64_t *ret, struct err *e)
{
	uint64_t set = 0, one = 0;

	for (size_t i = 0; i < names->n; i++) {
		int r = parse_cap(names->v[i], &one, flag, e);

		if (r < 0)
			return r;
		set |= one;
	}
	*ret = set;
	return 0;
}

/* Docker's rule: an ALL gives way to what the other flag names. */
static uint64_t combine(uint64_t base, uint64_t add, uint64_t drop)
{
	if (add == caps_all())
		return add & ~drop;
	if (drop == caps_all())
		return add;
	return (base | add) & ~drop;
}

int request_caps_added(const struct run_request *rq, uint64_t *ret)
{
	return parse_caps(&rq->cap_add, "--cap-add", ret, NULL);
}

/* An init system ends its PID namespace, and no more than that, by reboot(2); but without a filter kexec would be allowed,
 * which is about the host. */
static uint64_t caps_of_system(const struct run_request *rq)
{
	for (size_t i = 0; i < rq->security_opt.n; i++)
		if (!strncmp(rq->security_opt.v[i], "seccomp", 7) &&
		    strstr(rq->security_opt.v[i], "unconfined"))
			return 0;
	return rq->sandbox.system ? UINT64_C(1) << CAP_SYS_BOOT : 0;
}

int request_caps(const struct run_request *rq, struct strv *ret, struct err *e)
{
	uint64_t add = 0, drop = 0, set = 0;
	int r = parse_caps(&rq->cap_add, "--cap-add", &add, e);

	if (r == 0)
		r = parse_caps(&rq->cap_drop, "--cap-drop", &drop, e);
	if (r < 0)
		return r;
	for (size_t i = 0; i < ARRAY_LEN(default_caps); i++)
		set |= UINT64_C(1) << cap_from_name(default_caps[i]);
	set |= caps_of_system(rq);
	set = rq->privileged ? caps_all() : combine(set, add, drop);
	for (int i = 0; i < 64; i++)
		if ((set >> i & 1) && strv_add(ret, cap_name(i)) < 0)
			return err_set(e, ENOMEM, "out of memory");
	return 0;
}

int request_all_caps(struct strv *ret, struct err *e)
{
	return request_caps(&(const struct run_request){ .privileged = true }, ret, e);
}

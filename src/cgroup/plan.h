/* plan.h - which cgroups an instance gets on this host, and its ceilings in them; pure
 *
 * A controller is v2 when the facts name the directory of "unified" for it, else v1.  The cgroup of an instance is
 * ketch/ID in each hierarchy, or PARENT/ID.
 */
#ifndef CGROUP_PLAN_H
#define CGROUP_PLAN_H

#include "instance/host.h"
#include "instance/plan.h"
#include "instance/spec.h"

/* Flags of enable, make and devices. */
enum {
	STEP_V2 = 1, /* in the unified hierarchy */
	STEP_MAY_FAIL = 2, /* what the kernel or its permissions refuse is left out */
	STEP_UNUSED =
		4, /* make: claimed first (cgroup_claim); one that has processes is somebody else's: an error */
};
/* Flags of set. */
enum {
	STEP_OPTIONAL = 1, /* the file may be missing */
	STEP_TRY = 2, /* EINVAL is borne: a later step makes up for it */
	STEP_KEEP_FIRST = 4, /* the value goes behind the first word that the file has */
	STEP_ABOVE_USAGE = 8, /* refused unless it is more than the memory.current beside the file */
};

/* Flags of scope. */
enum {
	STEP_USER = 1, /* of the user's own manager */
	STEP_CHANGE = 2, /* it is there: only its settings */
};

/* The rows of a back end: enable (what: a directory, data: "+a +b"), make (what: the directory, data: "a,b"), set
 * (what: a file, data: its value, from: "FILE=VALUE" in the same directory, when the first is missing), devices (what: the
 * directory, data: rules as of devices.h), scope (what: a unit of
 * systemd, data: its settings as of systemd.h), warn (data: a sentence for the user).  But for warn their bodies are in
 * steps.h. */
struct cgroup_rows {
	const struct step_op *enable, *make, *set, *devices, *scope, *warn;
};

struct cgroup_request {
	const struct host_facts *facts;
	const char *id;
	const char *parent; /* "/a/b"; NULL: "/ketch" */
	const struct resources *limits;
	const char *const *controllers; /* those to join, NULL-terminated; missing ones are left out */
	const struct cgroup_rows *rows;
};

/* Adds the steps.  -ENOTSUP: a ceiling that this host cannot give, by the name of its flag; that of processes, which
 * has a default, is then left out (cgroup_dir tells). */
int cgroup_plan(const struct cgroup_request *rq, struct plan *p, struct err *e);
bool cgroup_is_v2(const struct host_facts *h, const char *controller);
/* Where the controller's hierarchy is, borrowed; the instance's directory in it, owned.  NULL: not there. */
const char *cgroup_base(const struct host_facts *h, const char *controller);
char *cgroup_dir(const struct host_facts *h, const char *controller, const char *parent, const char *id);

#endif

/* systemd.h - the systemd driver: the container's cgroup is a scope unit, "SLICE:PREFIX:NAME" in linux.cgroupsPath
 *
 * A unit's settings are text, one to a line: "NAME=TYPE VALUE", TYPE being that of D-Bus: b y n q i u x t s; "as" with
 * commas between the strings; "ay" as hexadecimal digits; "a(ss)" as "ONE TWO,ONE TWO".
 */
#ifndef CGROUP_SYSTEMD_H
#define CGROUP_SYSTEMD_H

#include "cgroup/cgroup.h"
#include "cgroup/oci_int.h"

/* --- systemd.c: names */

struct systemd_unit {
	char *slice, *name; /* "system.slice", "PREFIX-NAME.scope" */
};

int systemd_unit_of(const struct cgroup_oci_request *rq, struct systemd_unit *ret, struct err *e);
void systemd_unit_done(struct systemd_unit *u);
/* The path of the unit below the root of each hierarchy: "/a.slice/a-b.slice/PREFIX-NAME.scope"; without root it is below
 * the user's own manager. */
int systemd_cgroup_path(const struct cgroup_oci_request *rq, char **ret, struct err *e);

/* --- systemd_settings.c */

/* What linux.resources is in systemd's words, so that it does not set it back when it is reloaded. */
void systemd_print_resources(struct oci_planner *pl, bool v2, struct buf *out);
/* All settings of a new scope: also the annotations "org.systemd.property.NAME". */
void systemd_print_scope(struct oci_planner *pl, const struct systemd_unit *u, struct buf *out);
/* A value as GVariant's text has it ("true", "'a'", "uint64 5", "['a', 'b']") -> "TYPE VALUE".  0 or -EINVAL. */
int systemd_parse_variant(const char *text, struct buf *ret);

/* --- scope.c: asking systemd */

/* Starts the scope with a process of ours in it, since an empty one ends at once; it goes with cgroups_done. */
int systemd_scope_start(const char *unit, bool user, const char *settings, struct cgroups *cg, struct err *e);
int systemd_scope_update(const char *unit, bool user, const char *settings, struct err *e);
/* Ends the scope with all that is in it; one that is not there is fine. */
int systemd_scope_stop(const char *unit, bool user, struct err *e);
/* Ends the process of systemd_scope_start. */
void systemd_holder_end(struct cgroups *cg);

#endif

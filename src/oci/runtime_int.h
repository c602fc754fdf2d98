/* runtime_int.h - between the files of runtime.h: its tables, and the checks that no table can make
 *
 * A check returns 0, or -EINVAL with the mistake, which begins with its place.  `at` is the place of the object with
 * the dot behind it ("process."), or "" when the object is a file of its own.
 */
#ifndef OCI_RUNTIME_INT_H
#define OCI_RUNTIME_INT_H

#include "oci/runtime.h"

/* A config of which only one member is read. */
struct process_of_spec {
	struct oci_process process;
};

extern const struct jtable oci_spec_table, oci_process_table, oci_process_of_spec_table, oci_resources_table;

int oci_check_process(const struct oci_process *p, const char *at, struct err *e);
int oci_check_mounts(const struct oci_spec *s, struct err *e);
/* Does the path lead to where it begins, as far as its text tells? */
bool oci_is_root(const char *path);
int oci_check_hooks(const struct oci_hooks *h, struct err *e);
int oci_check_linux(const struct oci_spec *s, struct err *e);
int oci_check_sysctl(const struct oci_linux *l, struct err *e);
int oci_check_resources(const struct oci_resources *r, const char *at, struct err *e);

/* --- what several of them need; the place comes last, as of printf, and is only made for a mistake */

#define PLACE(n) __attribute__((format(printf, n, (n) + 1)))

struct oci_range {
	int64_t min, max;
};
#define OCI_IDS	   ((struct oci_range){ 0, 4294967294 }) /* 4294967295 means "none" to the kernel */
#define OCI_MAJORS ((struct oci_range){ 0, 4095 }) /* 12 bits of the kernel's dev_t, and 20 */
#define OCI_MINORS ((struct oci_range){ 0, 1048575 })

int oci_check_range(struct err *e, int64_t n, struct oci_range allowed, const char *place, ...) PLACE(4);
/* When it is set. */
int oci_check_optional(struct err *e, const struct opt_i64 *n, struct oci_range allowed, const char *place,
		       ...) PLACE(4);
int oci_check_absolute(struct err *e, const char *path, const char *place, ...) PLACE(3);
/* One of names, which end with NULL. */
int oci_check_name(struct err *e, const char *s, const char *const *names, const char *place, ...) PLACE(4);
/* "0-3,7", also with blanks; nothing at all and NULL are lists, too. */
int oci_check_cpus(struct err *e, const char *s, const char *place, ...) PLACE(3);
/* NAME=VALUE each. */
int oci_check_env(struct err *e, const struct strv *env, const char *place, ...) PLACE(3);
/* A label of SELinux, user:role:type[:level]; "" and NULL: none. */
int oci_check_label(struct err *e, const char *s, const char *place, ...) PLACE(3);

#endif

/* profile.h - a seccomp profile: JSON -> struct, checked; pure
 *
 * Two dialects: what Docker and Podman keep in files, and linux.seccomp of the OCI runtime-spec, which callers make of
 * such a file for one container.  What is misread here opens kernel surface: an unknown action, operator, architecture
 * or flag is refused, and in a file an unknown key (the runtime-spec demands that those are ignored).  Names of system
 * calls are not checked: a profile may know newer ones.
 */
#ifndef SECCOMP_PROFILE_H
#define SECCOMP_PROFILE_H

#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"

#define PROFILE_MAX_BYTES (1024 * 1024)
#define PROFILE_MAX_NAMES 8192 /* of system calls, all entries together */

/* includes: all of it must hold; excludes: any of it is enough. */
struct profile_filter {
	struct strv caps; /* "CAP_SYS_ADMIN" */
	struct strv arches; /* Go's names: "amd64" */
	char *min_kernel; /* "4.8" */
};

struct profile_arg {
	uint64_t index, value, value_two;
	char *op; /* "SCMP_CMP_EQ"; for MASKED_EQ value is the mask, value_two what must remain */
};

struct profile_syscall {
	char *name; /* an older form of names */
	struct strv names;
	char *action;
	struct opt_i64 errno_ret;
	char *errno_name; /* Podman: "EPERM" */
	struct profile_arg *args;
	size_t n_args;
	char *comment;
	struct profile_filter includes, excludes;
};

struct profile_arch {
	char *arch; /* "SCMP_ARCH_X86_64" */
	struct strv sub;
};

struct profile {
	char *default_action;
	struct opt_i64 default_errno_ret;
	char *default_errno_name;
	struct strv architectures; /* in a file: an older form of arch_map */
	struct profile_arch *arch_map;
	size_t n_arch_map;
	struct strv flags; /* in a file: refused unless empty */
	char *listener_path, *listener_metadata; /* in a file: refused */
	struct profile_syscall *syscalls;
	size_t n_syscalls;
};

enum profile_dialect { PROFILE_FILE, PROFILE_OCI };

/* Parses and checks n bytes; *ret is the caller's to profile_done.  An error begins with its place in the JSON. */
int profile_parse(const char *text, size_t n, enum profile_dialect d, struct profile *ret, struct err *e);
void profile_done(struct profile *p);

/* Of a checked profile: SECCOMP_RET_* with the errno (EPERM unless it says otherwise). */
uint32_t profile_default_action(const struct profile *p);
uint32_t profile_action(const struct profile_syscall *s);
/* Is there an entry with this action? */
bool profile_has_action(const struct profile *p, uint32_t action);
/* "4.8" or "6.1.0-13-amd64" -> major and minor; -EINVAL. */
int profile_kernel_version(const char *s, unsigned *ret_major, unsigned *ret_minor);

#endif

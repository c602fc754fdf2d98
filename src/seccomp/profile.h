/* profile.h - a seccomp profile as Docker and Podman write it: JSON -> struct, checked; pure
 *
 * Strict where Docker is lax, because what is misread here opens kernel surface: an unknown key, action,
 * operator or architecture is refused.  Names of system calls are not checked: a profile may know newer ones.
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
	uint64_t errno_ret; /* 0: not given */
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
	uint64_t default_errno_ret;
	char *default_errno_name;
	struct strv architectures; /* an older form of arch_map */
	struct profile_arch *arch_map;
	size_t n_arch_map;
	struct strv flags; /* refused unless empty */
	char *listener_path; /* refused */
	struct profile_syscall *syscalls;
	size_t n_syscalls;
};

/* Parses and checks n bytes; *ret is the caller's to profile_done. */
int profile_parse(const char *text, size_t n, struct profile *ret, struct err *e);
void profile_done(struct profile *p);

/* The SECCOMP_RET_* value of an action with its errno, or -EINVAL with e filled. */
int profile_action(const char *action, uint64_t errno_ret, const char *errno_name, uint32_t *ret,
		   struct err *e);
/* The libseccomp operator of a name, or -EINVAL. */
int profile_operator(const char *name, int *ret);
/* "4.8" or "6.1.0-13-amd64" -> major and minor; -EINVAL. */
int profile_kernel_version(const char *s, unsigned *ret_major, unsigned *ret_minor);

#endif

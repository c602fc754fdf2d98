/* build_int.h - shared by the files of `ketch kernel build` */
#ifndef KERNEL_BUILD_INT_H
#define KERNEL_BUILD_INT_H

#include <stdbool.h>

#include "base/strv.h"
#include "kernel/kernel.h"

/* In the directory of a build: */
#define BUILD_SOURCE  "source" /* what an archive held */
#define BUILD_OBJECTS "objects" /* what make writes */
#define BUILD_MODULES "modules" /* what the import takes: lists of modules, and the notes */
#define BUILD_TMP     "tmp" /* of the compiler */
#define BUILD_CONFIG  "wanted.config"

/* What is kept of a build beside the kernel: */
#define BUILD_NOTE_CONFIG "config"
#define BUILD_NOTE_FROM	  "built-from"

struct build_source {
	char *path; /* absolute */
	bool is_dir;
	char *identity; /* a line that another archive, or another configuration, has not; NULL for a directory */
};

void build_source_done(struct build_source *s);
/* given NULL: where Debian's package puts it.  -ENOENT with the fix in the message. */
int build_source_find(const char *given, struct build_source *ret, struct err *e);

/* Packages of what the build needs and `path` ("DIR:DIR...") and the C headers in `include` do not have, each once. */
int build_missing(const struct build_source *s, const char *path, const char *include,
		  struct strv *ret_packages);
/* -ENOENT with the command that installs it, when something is missing on this host. */
int build_check_tools(const struct build_source *s, struct err *e);

/* Commands, in this order; dir: the directory of the build, absolute.  The first is for archives only.  0 or -ENOMEM. */
int build_plan_unpack(const struct build_source *s, const char *dir, struct strv *ret);
int build_plan_configure(const struct build_source *s, const char *dir, struct strv *ret);
int build_plan_compile(const struct build_source *s, const char *dir, unsigned jobs, struct strv *ret);

struct build_place {
	char *dir, *log; /* paths, absolute */
	int dir_fd, log_fd;
	struct strv env; /* of what runs there */
	bool is_kept;
};

/* keep: an empty directory that stays; NULL: below root, then build_place_close removes it, and with drop_log the log. */
int build_place_open(const char *root, const char *keep, struct build_place *ret, struct err *e);
void build_place_close(struct build_place *p, const char *root, bool drop_log);

struct build_order {
	const struct build_source *source;
	const char *config; /* the wanted options, as for kernel/kconfig.h */
};

/* kernel_build without its looks at tools and at what has been built before. */
int build_run(const char *root, const struct kernel_build_request *rq, const struct build_order *o,
	      char **ret_version, struct err *e);

#endif

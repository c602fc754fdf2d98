/* run_profile.h - stored sets of run's flags: ROOT/profiles/NAME.json */
#ifndef CLI_RUN_PROFILE_H
#define CLI_RUN_PROFILE_H

#include "base/err.h"
#include "base/strv.h"

struct run_profile {
	char *name;
	struct strv flags; /* words of a command line, as they were given */
};

/* -ENOENT: "no such profile: x". */
int run_profile_read(const char *root, const char *name, struct run_profile *ret, struct err *e);
/* By name. */
int run_profile_list(const char *root, struct run_profile **ret, size_t *ret_n, struct err *e);
/* -EEXIST when there is one of that name. */
int run_profile_write(const char *root, const struct run_profile *p, struct err *e);
int run_profile_remove(const char *root, const char *name, struct err *e);
void run_profile_done(struct run_profile *p);
void run_profiles_free(struct run_profile *p, size_t n);

#endif

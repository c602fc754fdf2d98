/* prune_int.h - the prune commands as the file of each kind sees them */
#ifndef CLI_PRUNE_INT_H
#define CLI_PRUNE_INT_H

#include "cli/cli.h"

struct prune_args {
	bool all, volumes, force;
	struct strv filters;
};

/* What a prune has removed. */
struct pruned {
	struct strv names;
	uint64_t bytes;
};
void pruned_done(struct pruned *p);
int pruned_note(struct pruned *p, const char *name, uint64_t bytes, struct err *e);

/* prune.c: as the filters until=, label= and label!= have it. */
bool prune_fits(const struct strv *given, int64_t created_ns, const struct strv *labels);

/* prune_images.c; what was removed before an error is in *p, too */
/* Without a name, or with a->all any, that no instance uses. */
int prune_images(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e);
/* What is made of images for virtual machines, where there is none: it is made again when there is one. */
int prune_roots(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e);
/* What pulls that were broken off have fetched; the next pull fetches it again. */
int prune_downloads(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e);

#endif

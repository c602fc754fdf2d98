/* run_options.h - what run, launch and create take: one struct, one table of options */
#ifndef CLI_RUN_OPTIONS_H
#define CLI_RUN_OPTIONS_H

#include "cli/begin.h"
#include "engine/engine.h"
#include "opts/opts.h"

#define PIDS_NOT_GIVEN INT64_MAX

/* What holds where the line says nothing of it; borrowed from the settings. */
struct run_defaults {
	int isolation; /* enum isolation */
	bool auto_isolation, warm;
	const char *driver, *kernel;
};

struct run_args {
	struct run_request rq;
	struct take_part part;
	char *isolation, *runtime, *pull, *cid_file, *template;
	struct run_defaults defaults;
	struct strv profiles;
	char *format; /* explain's, */
	bool rules; /* too */
	int64_t pids_limit;
	bool detach, vm, dry_run, quiet, no_content_trust, warm;
	bool trusted, disk_only; /* the memory of a machine in the image */
};

/* The first rows are explain's own, the next are for an instance that is started at once: create has the others. */
extern const struct opt explain_opts[];
#define RUN_OPTS    (explain_opts + 2)
#define CREATE_OPTS (RUN_OPTS + 8)

/* The words of the command line become a request; image and arguments are the caller's to free. */
int run_args_take(struct run_args *a, struct strv *words, struct err *e);
void run_args_drop(struct run_args *a);

#endif

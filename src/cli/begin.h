/* begin.h - starting an instance and taking part in it: what run, start and attach have in common */
#ifndef CLI_BEGIN_H
#define CLI_BEGIN_H

#include "cli/attach.h"
#include "engine/engine.h"

/* What the options say.  The default has sig_proxy set. */
struct take_part {
	struct strv streams; /* -a: "stdin", "stdout", "stderr"; none: all */
	char *detach_keys;
	bool sig_proxy;
};

/* Fills *ret: our stdin (if `interactive`), stdout and stderr with the main process of `spec`. */
int begin_prepare(const struct take_part *t, const struct instance_spec *spec, bool interactive,
		  struct attach *ret, struct err *e);
/* Starts the instance and stays with it as `how` says; removes one that is to be removed when we have seen its end.
 * Returns the exit status, or -errno: -EALREADY when it runs. */
int begin_run(struct engine *en, const struct instance_spec *spec, const struct attach *how, struct err *e);

/* The same behind a start of another kind, which said r, and fd if that is 0. */
int begin_started(struct engine *en, const struct instance_spec *spec, const struct attach *how, int r,
		  int fd);
/* The second half: fd is the connection to its monitor, from engine_start. */
int begin_follow(struct engine *en, const struct instance_spec *spec, const struct attach *how, int fd,
		 bool *ret_detached);
/* The same for the command that starts it again by its policy, with the lock (engine_start_locked); nobody is attached. */
int begin_locked(struct engine *en, const struct instance *in, int lock, struct err *e);

#endif

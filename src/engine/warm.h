/* warm.h - machines kept by themselves for `run --warm`: booted, with nothing begun in them (docs/design/012)
 *
 * One is a template (cli/template.c) with the label WARM_LABEL: an instance at rest, and its snapshot with memory.  Its name
 * says what it is for, as it was asked for; the value of the label is the key of all that decides whether its memory fits.
 * What is in it is a kernel that has booted, and the mounted root of an image: no process of a workload, nothing of anybody's
 * command line.  So whoever goes on from it begins as after a boot of its own.
 *
 * One lock of the store for all of them is held while one is made; who finds one needs no lock, since a transaction says
 * whether it is still there.
 */
#ifndef ENGINE_WARM_H
#define ENGINE_WARM_H

#include "base/sha256.h"
#include "engine/snapshot.h"

#define TEMPLATE_LABEL	  "ketch.template"
#define TEMPLATE_SNAPSHOT "template"
#define WARM_LABEL	  "ketch.warm"
#define WARM_NAME_MAX	  24

/* What of the host decides; borrowed. */
struct warm_host {
	const char *cpu, *release; /* uname -r */
	const char *hypervisor, *monitor, *guest,
		*kernel; /* files, with what tells two versions of one apart */
};

/* Of the machine that the spec describes, on this host.  Pure. */
void warm_key(const struct instance_spec *s, const struct warm_host *h, char ret[SHA256_HEX]);
/* What stays when an update of the host, or a new image of the same name, changes the key: so the new one takes the place of
 * the old.  kernel, driver: as they were asked for, or NULL.  Pure. */
void warm_name(const struct instance_spec *s, const char *kernel, const char *driver,
	       char ret[WARM_NAME_MAX]);

/* One that a request wants.  By warm_done. */
struct warm {
	struct instance_spec like; /* what the request comes to */
	char name[WARM_NAME_MAX], key[SHA256_HEX];
};

/* Is it a template?  The label has its name, also in those that went on from it. */
bool template_is_named(const struct instance_spec *s);
/* Is it one that was made by itself? */
bool warm_is(const struct instance_spec *s);
/* Describes it; nothing is made.  -ENOTSUP with the reason, by the name of the flag, where none can be. */
int warm_plan(struct engine *en, const struct run_request *rq, struct warm *ret, struct err *e);
void warm_done(struct warm *w);
/* Sees to it that it is there: boots a machine for it, unless there is one.  Those that fit nothing any more go. */
int warm_make(struct engine *en, const struct warm *w, struct err *e);
/* engine_start of an instance that was just created from the same request, with that memory.  -ENOENT: there is none. */
int warm_start(struct engine *en, const struct warm *w, const struct instance_spec *spec, int *ret_fd,
	       struct err *e);
/* Removes it: the next one is made anew.  Those who went on from it stay as they are. */
void warm_drop(struct engine *en, const struct warm *w);
/* engine_image_in_use for who wants to remove the image: where only these are in its way, they go. */
int warm_release_image(struct engine *en, const char *image_id, bool *ret_in_use, struct err *e);

#endif

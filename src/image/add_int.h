/* add_int.h - what the files of an addition to the store share */
#ifndef IMAGE_ADD_INT_H
#define IMAGE_ADD_INT_H

#include "image/add.h"
#include "image/job.h"

/* One call of image_import or image_load. */
struct addition {
	struct image_store *store;
	const char *what; /* "ketch load" */
	const char *path; /* of the input, for messages */
	int input_fd;
	struct job_request request;
	image_progress progress;
	void *progress_arg;
	struct strv *refs; /* what was added, as the user may call it */
	char *id; /* of the last image */
	const struct pulled *pulled; /* NULL: it comes from no registry */
	const struct image_watch *watch; /* NULL: nobody looks first; else no names come along */
};

/* What the job made, in the stage, becomes part of the store: all of it, or nothing.  -ESTALE: a layer that it counted on was
 * removed meanwhile. */
int add_publish(struct addition *ad, const struct stage *st, const struct job_message *m, struct err *e);

/* Has who watches look at what the job made. */
int add_look(struct addition *ad, const struct stage *st, struct job_message *m, struct err *e);

#endif

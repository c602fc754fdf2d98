/* job.h - runs ketch-image: the child in which foreign bytes are read (private to this room) */
#ifndef IMAGE_JOB_H
#define IMAGE_JOB_H

#include "image/store_int.h"
#include "unpack/request.h"

struct job_beside;

struct job_run {
	struct image_store *store;
	const struct stage *stage; /* where it puts what it makes */
	const struct job_request *request;
	int input_fd; /* file, pipe or directory; borrowed */
	image_progress progress; /* may be NULL */
	void *progress_arg;
	/* what the child writes to JOB_FD_OUTPUT, piece by piece: 0 or -errno, which ends it; NULL: nothing */
	int (*output)(void *arg, const void *data, size_t n);
	void *output_arg;
	struct job_beside *beside; /* may be NULL */
};

/* What else there is to do while the child works: it may be what the child waits for. */
struct job_beside {
	int fd; /* when it can be read there is a step to do; -1: there is no more */
	int (*step)(struct job_beside *b, struct err *e); /* a failure ends the job */
	void *arg;
};

/* Returns when the child has ended.  *ret is by json_done(&job_message_table): what it says it has made. */
int job_run(const struct job_run *run, struct job_message *ret, struct err *e);

#endif

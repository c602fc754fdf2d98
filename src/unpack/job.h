/* job.h - the jobs of ketch-image: import and load, from descriptors to an answer */
#ifndef UNPACK_JOB_H
#define UNPACK_JOB_H

#include "unpack/layer.h"
#include "unpack/request.h"

/* What a job works with; all borrowed. */
struct job {
	const struct job_request *request;
	int stage_fd, input_fd;
	int answer_fd; /* for progress */
	struct job_message *answer; /* images and layers are added here */
};

/* One line to the user. */
void job_progress(const struct job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Writes one message as a line. */
int job_send(int answer_fd, const struct job_message *m);

/* Add to the answer; the image is copied, the layer too. */
int job_add_image(struct job *job, const struct job_image *im, struct err *e);
int job_add_layer(struct job *job, const struct layer_facts *layer, struct err *e);
/* Writes the config to configs/HEX; *ret is its digest. */
int job_write_config(struct job *job, const char *text, size_t n, struct digest *ret, struct err *e);

int job_import(struct job *job, struct err *e);
int job_load(struct job *job, struct err *e);
/* The input, a directory, becomes one layer and nothing else: the answer has no image. */
int job_merge(struct job *job, struct err *e);
/* The archive of a layer goes to JOB_FD_OUTPUT, again as it came; the answer has one layer and its blob. */
int job_archive(struct job *job, struct err *e);
/* expand.c: the input goes to JOB_FD_OUTPUT, expanded if it is compressed. */
int job_expand(struct job *job, struct err *e);
/* chunks.c: the files of the input, a directory, become chunks in the stage; those that are not there are none. */
int job_cut(struct job *job, struct err *e);
/* The chunks of the input, a directory, go into the files of the stage: each is held against both of its digests. */
int job_join(struct job *job, struct err *e);

#endif

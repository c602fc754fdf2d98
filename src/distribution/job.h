/* job.h - the jobs of ketch-registry: what they work with, and how they answer */
#ifndef DISTRIBUTION_JOB_H
#define DISTRIBUTION_JOB_H

#include "distribution/session.h"
#include "oci/digest.h"
#include "registry/request.h"

struct registry_job {
	const struct registry_request *request;
	struct http *http;
	int blobs_fd; /* borrowed; -1: none */
	int answer_fd;
};

/* One line of the answer; what cannot be said ends the process: nobody listens any more. */
void job_say(const struct registry_job *job, const struct registry_message *m);
void job_note(const struct registry_job *job, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int job_pull(struct registry_job *job, struct err *e);
int job_tags(struct registry_job *job, struct err *e);
int job_push(struct registry_job *job, struct err *e);
int job_login(struct registry_job *job, struct err *e);
/* Those that the request names come into the directory of blobs. */
int job_blobs(struct registry_job *job, struct err *e);
int job_search(struct registry_job *job, struct err *e);

#endif

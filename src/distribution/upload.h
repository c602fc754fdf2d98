/* upload.h - one blob goes to a server: found there, mounted from another repository, or sent */
#ifndef DISTRIBUTION_UPLOAD_H
#define DISTRIBUTION_UPLOAD_H

#include "distribution/job.h"
#include "oci/manifest.h"

/* silent: nothing is told of it.  1: the server has it now; 0: it has not, and neither have we. */
int upload_blob(struct registry_job *job, struct session *s, const struct descriptor *d, bool silent,
		struct err *e);

#endif

/* signers.h - what policy.json asks of an image, as ketch-image is asked to check it (private to this room) */
#ifndef IMAGE_SIGNERS_H
#define IMAGE_SIGNERS_H

#include "registry/policy.h"
#include "unpack/request.h"

struct signers {
	struct job_signer *list; /* none: it may come in as it is */
	size_t n;
};

/* Of "host/path" with this tag (NULL: by digest).  -EPERM: it is rejected. */
int signers_find(const char *policy_file, const char *name, const char *tag, struct signers *ret,
		 struct err *e);
void signers_done(struct signers *s);

#endif

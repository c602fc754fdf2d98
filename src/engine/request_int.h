/* request_int.h - the parts of request.c that have files of their own */
#ifndef ENGINE_REQUEST_INT_H
#define ENGINE_REQUEST_INT_H

#include "engine/engine.h"

/* request_caps.c: --cap-add, --cap-drop, --privileged -> names of capabilities. */
int request_caps(const struct run_request *rq, struct strv *ret, struct err *e);
/* request_limits.c: what is given changes *res, the rest of it stays; checked against the host and as a whole. */
int request_limits(const struct limits_request *rq, const struct host_facts *h, struct resources *res,
		   struct err *e);
/* request_mounts.c: -v, --tmpfs and the image's VOLUMEs -> spec.mounts. */
int request_mounts(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		   struct err *e);
/* request_mounts.c: reads and parses each file. */
int request_env_files(const struct strv *paths, struct strv *env, struct err *e);

#endif

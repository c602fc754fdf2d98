/* change.h - instructions of a Dockerfile, as `ketch import --change` takes them */
#ifndef CLI_CHANGE_H
#define CLI_CHANGE_H

#include "oci/image.h"

/* Applies one line to the config: CMD, ENTRYPOINT (JSON array, or text for /bin/sh -c), ENV, LABEL
 * ("A=B C=D", or "A B"), USER, WORKDIR, VOLUME, EXPOSE, STOPSIGNAL.  0, -EINVAL or -ENOMEM. */
int change_apply(const char *line, struct image_run_config *config, struct err *e);

#endif

/* container.h - the container back end: processes kept apart by this kernel */
#ifndef CONTAINER_CONTAINER_H
#define CONTAINER_CONTAINER_H

#include "instance/backend.h"

extern const struct backend container_backend;

#endif

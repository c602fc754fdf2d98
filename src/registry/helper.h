/* helper.h - programs that keep credentials: docker-credential-NAME, by Docker's protocol */
#ifndef REGISTRY_HELPER_H
#define REGISTRY_HELPER_H

#include "registry/auth.h"

/* Asks for the server.  1 and *ret, or 0: it knows none. */
int helper_get(const char *helper, const char *server, struct credentials *ret, struct err *e);
int helper_store(const char *helper, const char *server, const struct credentials *c, struct err *e);
int helper_erase(const char *helper, const char *server, struct err *e);

#endif

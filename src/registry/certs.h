/* certs.h - certs.d (containers-certs.d(5), Docker's too): whom to trust for one server, and who we are to it */
#ifndef REGISTRY_CERTS_H
#define REGISTRY_CERTS_H

#include "base/err.h"

struct certs {
	char *ca, *cert, *key; /* PEM; NULL: none */
};

/* DIR/SERVER/: all *.crt, and the first *.cert with its *.key.  dir NULL: /etc/containers/certs.d, then
 * /etc/docker/certs.d. */
int certs_load(const char *dir, const char *server, struct certs *ret, struct err *e);
void certs_done(struct certs *c);

#endif

/* resolve.h - from a name as it was typed to the servers that may have it, with what each may be told */
#ifndef REGISTRY_RESOLVE_H
#define REGISTRY_RESOLVE_H

#include "oci/reference.h"
#include "registry/policy.h"
#include "registry/request.h"

/* Files that take the place of the usual ones; NULL: those ($CONTAINERS_REGISTRIES_CONF and $REGISTRY_AUTH_FILE are
 * looked at, too). */
struct registry_files {
	const char *conf, *auth, *cert_dir, *policy;
};

/* One meaning of a name. */
struct meaning {
	struct reference ref; /* short form: how the image will be called here */
	struct registry_endpoint *endpoints; /* in the order in which they are to be tried */
	size_t n_endpoints;
};

struct resolution {
	struct meaning *meanings; /* a short name may have several, tried in this order */
	size_t n_meanings;
};

enum resolve_for { RESOLVE_PULL, RESOLVE_PUSH };

int registry_resolve(const struct registry_files *files, const char *name, enum resolve_for what,
		     struct resolution *ret, struct err *e);
void resolution_done(struct resolution *r);
/* The server itself, "host[:port]", for a login or a search: without a repository. */
int registry_resolve_server(const struct registry_files *files, const char *server,
			    struct registry_endpoint *ret, struct err *e);
void registry_endpoint_done(struct registry_endpoint *ep);
/* Is it this machine: "localhost", 127.0.0.0/8 or ::1?  There HTTP without TLS is allowed. */
bool is_loopback_server(const char *server);

#endif

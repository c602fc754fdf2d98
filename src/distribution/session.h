/* session.h - one repository on one server: what may be said to whom
 *
 * Credentials belong to the server (scheme, host and port) for which they were found.  They are sent there, and to
 * the token server that it names in its own answer; over TLS wherever the server speaks it.  An answer that
 * leads to another server is followed without them, and never from TLS to plain text.
 */
#ifndef DISTRIBUTION_SESSION_H
#define DISTRIBUTION_SESSION_H

#include "distribution/http.h"
#include "registry/request.h"

#define REDIRECTS_MAX 5

struct session {
	struct http *http;
	const struct registry_endpoint *ep; /* borrowed */
	char *origin; /* "https://host:port" */
	const char *actions; /* "pull" or "pull,push"; NULL: no scope */
	struct strv more_scopes; /* of other repositories, to mount from */
	char *authorization; /* what the server wants to see with each request; NULL: nothing so far */
	struct http_trust trust;
	bool heard; /* it has answered */
	char *identity_token; /* that a token server gave us for a login */
};

/* Finds out how the server speaks. */
int session_open(struct session *s, struct http *h, const struct registry_endpoint *ep, const char *actions,
		 struct err *e);
void session_done(struct session *s);
/* "" for a login or a search. */
const char *session_repository(const struct session *s);

/* A request that goes where the answers lead.  The members of `call` about the request are the caller's to set, but url,
 * authorization and trust. */
struct errand {
	struct http_call call;
	char *url; /* where it is now */
	unsigned redirects, logins;
};
void errand_done(struct session *s, struct errand *er);
/* Begins at a path below /v2/REPOSITORY/ ("" repository: below /v2/) or at a whole URL. */
int errand_begin(struct session *s, struct errand *er, const char *where, struct err *e);
/* The call is done: 1 it goes on (begun again), 0 this is the answer, -errno there is none. */
int errand_next(struct session *s, struct errand *er, struct err *e);
/* Begins and works until there is an answer. */
int errand_run(struct session *s, struct errand *er, const char *where, struct err *e);
/* The same, again after failures that may pass.  Where nobody listens that never has, it does not wait for anybody to; who has
 * answered is probably being restarted. */
int errand_insist(struct session *s, struct errand *er, const char *where, struct err *e);
/* What the server says about its refusal, as a sentence: {"errors":[{"code":..,"message":..}]}. */
int errand_refused(const struct errand *er, const char *what, struct err *e);

/* The URL of the next page of a list (RFC 8288: <URL>; rel="next"); owned, NULL: this was the last. */
char *errand_next_page(const struct errand *er);

/* Waits before try number n (0, 1, ...) of something that failed. */
void retry_pause(unsigned n);
#define RETRIES_MAX 5 /* in a row, without a byte that came */

#endif

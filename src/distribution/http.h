/* http.h - HTTP requests, several at a time, over libcurl
 *
 * A call is one request and its answer: nothing is followed, nothing repeated, no name or password added; that is
 * decided above (session.h).  Only https and http; servers are verified, always.
 */
#ifndef DISTRIBUTION_HTTP_H
#define DISTRIBUTION_HTTP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

#define HTTP_HEAD_MAX 65536 /* bytes of an answer's header */
#define HTTP_TEXT_MAX (4 << 20)

struct http;

/* Whom to trust besides the machine's authorities, and who we are; PEM, borrowed, NULL: none. */
struct http_trust {
	const char *ca, *cert, *key;
};

struct http_head {
	char *type, *location, *digest, *link, *range; /* NULL: not said */
	struct strv challenges;
	int64_t length; /* -1: not said */
	uint64_t from, total; /* of Content-Range; total 0: not said */
	size_t bytes;
};

struct http_call {
	/* the request; strings are borrowed while it runs */
	const char *method, *url;
	const char *authorization; /* the value of the header, or NULL */
	const struct strv *accept; /* media types, or NULL */
	const char *content_type, *content_range;
	const void *body;
	uint64_t body_bytes; /* also of body_fd */
	int body_fd; /* where `body` is NULL and body_bytes is not 0 */
	uint64_t body_offset;
	uint64_t from; /* the first byte that is wanted */
	bool ranged; /* asks for a range, even from 0 */
	const struct http_trust *trust;
	/* Takes the body of an answer 2xx; NULL: it goes to `text`, as does that of all others. */
	int (*take)(struct http_call *c, const void *data, size_t n, struct err *e);
	void *arg;
	/* the answer */
	int status; /* 0: none came */
	struct http_head head;
	struct buf text;
	uint64_t sent;
	struct err err; /* why there is none, or why it was broken off */
	bool again; /* that may be otherwise the next time */
	bool whole_bundle; /* its certificate was looked for in the machine's bundle, too */
	bool nobody; /* nothing listens there: the connection was refused, or there is no way */
	bool no_tls; /* the server does not speak TLS */
	bool done;
	/* private */
	void *easy, *list;
	bool refused;
};

/* timeout_s: how long a server may be silent.  NULL: no memory. */
struct http *http_new(int timeout_s);
struct http *http_free(struct http *h);
/* Begins; c must stay where it is until http_end. */
int http_begin(struct http *h, struct http_call *c, struct err *e);
/* Works for at most `ms`; *ret: a call that has ended, or NULL. */
int http_work(struct http *h, int ms, struct http_call **ret, struct err *e);
/* Begins and works until it has ended. */
int http_run(struct http *h, struct http_call *c, struct err *e);
/* Forgets the answer; a running call is broken off.  Its request stays as it is. */
void http_end(struct http *h, struct http_call *c);

#endif

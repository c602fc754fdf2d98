/* session.c - one repository on one server: what may be said to whom */
#include "distribution/session.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/json.h"
#include "distribution/challenge.h"
#include "distribution/token.h"
#include "distribution/url.h"

#define RETRY_FIRST_MS 100
#define PROBES_MAX     2 /* of how a server speaks, where it is silent */

void session_done(struct session *s)
{
	if (s->authorization)
		explicit_bzero(s->authorization, strlen(s->authorization));
	free(s->authorization);
	free(s->origin);
	free(s->identity_token);
	strv_done(&s->more_scopes);
	*s = (struct session){ 0 };
}

void retry_pause(unsigned n)
{
	long ms = RETRY_FIRST_MS << (n < 6 ? n : 6);
	const struct timespec t = { ms / 1000, ms % 1000 * 1000000 };

	nanosleep(&t, NULL);
}

/* --- errands */

void errand_done(struct session *s, struct errand *er)
{
	http_end(s->http, &er->call);
	free(er->url);
	er->url = NULL;
	er->redirects = er->logins = 0;
}

const char *session_repository(const struct session *s)
{
	return s->ep->repository ? s->ep->repository : "";
}

static bool is_home(const struct session *s, const char *url)
{
	autofree char *origin = url_origin(url);

	return origin && !strcmp(origin, s->origin);
}

static int begin(struct session *s, struct errand *er, struct err *e)
{
	static const struct http_trust nobody;
	bool home = is_home(s, er->url);

	http_end(s->http, &er->call);
	er->call.url = er->url;
	er->call.authorization = home ? s->authorization : NULL;
	er->call.trust = home ? &s->trust : &nobody;
	return http_begin(s->http, &er->call, e);
}

int errand_begin(struct session *s, struct errand *er, const char *where, struct err *e)
{
	char *url = strstr(where, "://") ? strdup(where)
		    : session_repository(s)[0]
			    ? str_printf("%s/v2/%s/%s", s->origin, s->ep->repository, where)
			    : str_printf("%s/v2/%s", s->origin, where);

	errand_done(s, er);
	er->url = url;
	return url ? begin(s, er, e) : err_set(e, ENOMEM, "out of memory");
}

static bool is_redirect(int status)
{
	return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

/* Only what changes nothing is sent to somebody else. */
static int follow(struct session *s, struct errand *er, struct err *e)
{
	const char *method = er->call.method;
	char *to = er->call.head.location ? url_follow(er->url, er->call.head.location) : NULL;
	autofree char *origin = to ? url_origin(to) : NULL;

	if (!origin) {
		free(to);
		return err_set(e, EPROTO, "%s leads to no place that makes sense", s->ep->server);
	}
	if (url_is_tls(er->url) && !url_is_tls(to)) {
		free(to);
		return err_set(e, EPROTO, "%s leads away from TLS, to %s", s->ep->server, origin);
	}
	free(er->url);
	er->url = to;
	if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
		return err_set(e, EPROTO, "%s sends an upload elsewhere, to %s", s->ep->server, origin);
	if (++er->redirects > REDIRECTS_MAX)
		return err_set(e, ELOOP, "%s leads on more than %d times", s->ep->server, REDIRECTS_MAX);
	return begin(s, er, e) < 0 ? -e->no : 1;
}

static int log_in(struct session *s, struct errand *er, struct err *e)
{
	AUTO(challenge_done) struct challenge c = { 0 };
	int r;

	for (size_t i = 0; i < er->call.head.challenges.n; i++)
		challenge_parse(er->call.head.challenges.v[i], &c);
	if (er->logins++ || c.kind == CHALLENGE_NONE)
		return 0;
	r = token_get(s, &c, e);
	if (r <= 0)
		return r;
	return begin(s, er, e) < 0 ? -e->no : 1;
}

int errand_next(struct session *s, struct errand *er, struct err *e)
{
	if (!er->call.status)
		return err_set(e, er->call.err.no, "%s: %s", s->ep->server, er->call.err.msg);
	if (is_redirect(er->call.status))
		return follow(s, er, e);
	if (er->call.status == 401 && is_home(s, er->url))
		return log_in(s, er, e);
	return 0;
}

int errand_run(struct session *s, struct errand *er, const char *where, struct err *e)
{
	int r = errand_begin(s, er, where, e);

	while (r == 0) {
		struct http_call *unused;

		while (r == 0 && !er->call.done)
			r = http_work(s->http, 1000, &unused, e);
		if (r == 0)
			r = errand_next(s, er, e);
		if (r <= 0)
			break;
		r = 0;
	}
	return r;
}

int errand_insist(struct session *s, struct errand *er, const char *where, struct err *e)
{
	for (unsigned n = 0;; n++) {
		int r = errand_run(s, er, where, e);

		s->heard |= er->call.status != 0;
		if (!er->call.again || (er->call.nobody && !s->heard) || n + 1 >= RETRIES_MAX)
			return r;
		retry_pause(n);
	}
}

/* --- pages */

char *errand_next_page(const struct errand *er)
{
	const char *link = er->call.head.link, *end = link ? strchr(link, '>') : NULL;
	autofree char *to = NULL;

	if (!end || *link != '<' || !strstr(end, "next"))
		return NULL;
	to = strndup(link + 1, (size_t)(end - link - 1));
	return to ? url_follow(er->url, to) : NULL;
}

/* --- refusals */

struct said_error {
	char *code, *message;
};

struct said {
	struct said_error *errors;
	size_t n_errors;
	char *details; /* of token servers */
};

static const struct jfield said_error_fields[] = {
	J(J_STR, struct said_error, code),
	J(J_STR, struct said_error, message),
	{ 0 },
};
static const struct jtable said_error_table = { sizeof(struct said_error), said_error_fields };
static const struct jfield said_fields[] = {
	JA(struct said, errors, n_errors, "errors", &said_error_table),
	J(J_STR, struct said, details),
	{ 0 },
};
static const struct jtable said_table = { sizeof(struct said), said_fields };

static int class_of(int status)
{
	switch (status) {
	case 401:
	case 403:
		return EACCES;
	case 404:
		return ENOENT;
	case 429:
		return EBUSY;
	default:
		return EPROTO;
	}
}

int errand_refused(const struct errand *er, const char *what, struct err *e)
{
	struct said said = { 0 };
	int status = er->call.status, no = class_of(status);

	if (json_parse(&said_table, er->call.text.data ? er->call.text.data : "", er->call.text.len, 0, &said,
		       NULL) == 0 &&
	    said.n_errors && (said.errors[0].message || said.errors[0].code)) {
		const char *m = said.errors[0].message ? said.errors[0].message : said.errors[0].code;

		err_set(e, no, "%s: %.200s", what, m);
	} else {
		err_set(e, no, "%s: the server answers %d%s", what, status,
			status == 401	? " (unauthorized)"
			: status == 403 ? " (forbidden)"
			: status == 404 ? " (not found)"
			: status == 429 ? " (too many requests)"
					: "");
	}
	json_done(&said_table, &said);
	return -no;
}

/* --- the beginning */

static int set_origin(struct session *s, const char *scheme, struct err *e)
{
	autofree char *url = str_printf("%s://%s", scheme, s->ep->server);

	free(s->origin);
	s->origin = url ? url_origin(url) : NULL;
	return s->origin ? 0 : err_set(e, EINVAL, "\"%.80s\" is no server", s->ep->server);
}

/* Asks once by TLS.  1: it speaks plain text, 0: it does not, or has not answered (*ret_again: it may yet). */
static int probe(struct session *s, bool *ret_again, struct err *e)
{
	struct errand er = { .call.method = "GET" };
	int r = errand_begin(s, &er, "", e);

	while (r == 0 && !er.call.done) {
		struct http_call *unused;

		r = http_work(s->http, 1000, &unused, e);
	}
	if (r == 0)
		r = er.call.no_tls;
	*ret_again = !er.call.status && er.call.again;
	errand_done(s, &er);
	return r;
}

/* Only a server that answers in plain text is spoken to in plain text: a wrong certificate is no reason to. */
int session_open(struct session *s, struct http *h, const struct registry_endpoint *ep, const char *actions,
		 struct err *e)
{
	struct registry_endpoint root = *ep;
	bool again = ep->plain;
	int r;

	root.repository = NULL;
	*s = (struct session){
		.http = h, .ep = &root, .actions = actions, .trust = { ep->ca, ep->cert, ep->key }
	};
	r = set_origin(s, "https", e);
	for (unsigned n = 0; r == 0 && again && n < PROBES_MAX; n++)
		r = probe(s, &again, e);
	if (r > 0)
		r = set_origin(s, "http", e);
	s->ep = ep;
	return r;
}

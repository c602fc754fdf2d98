/* token.c - how a session becomes known to its server: Basic, or Bearer with a token (distribution's token protocol) */
#include "distribution/token.h"

#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/base64.h"
#include "base/json.h"
#include "distribution/url.h"

#define CLIENT "ketch"

struct token_answer {
	char *token, *access_token, *refresh_token;
};

static const struct jfield token_fields[] = {
	J(J_STR, struct token_answer, token),
	JK(J_STR, struct token_answer, access_token, "access_token"),
	JK(J_STR, struct token_answer, refresh_token, "refresh_token"),
	{ 0 },
};
static const struct jtable token_table = { sizeof(struct token_answer), token_fields };

static void answer_done(struct token_answer *a)
{
	json_done(&token_table, a);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static void set_authorization(struct session *s, char *value)
{
	if (s->authorization)
		explicit_bzero(s->authorization, strlen(s->authorization));
	free(s->authorization);
	s->authorization = value;
}

/* "Basic ..." of user and password; owned, NULL: no memory. */
static char *basic(const struct registry_endpoint *ep)
{
	AUTO(buf_done) struct buf both = { 0 };
	struct buf out = { 0 };

	buf_addf(&both, "%s:%s", ep->user, ep->password ? ep->password : "");
	buf_adds(&out, "Basic ");
	if (buf_ok(&both)) {
		base64_add(&out, both.data, both.len);
		explicit_bzero(both.data, both.len);
	}
	return buf_ok(&both) ? buf_take(&out) : NULL;
}

/* --- asking a token server */

/* A token server that is named over TLS must speak it, too. */
static int check_realm(const struct session *s, const char *realm, struct err *e)
{
	autofree char *origin = url_origin(realm);

	if (!origin)
		return err_set(e, EPROTO, "%s names a token server that makes no sense", s->ep->server);
	if (!url_is_tls(realm) && url_is_tls(s->origin))
		return err_set(e, EPROTO, "%s names a token server without TLS, %s", s->ep->server, origin);
	return 0;
}

/* The scopes: that of the challenge, or our own; and those to mount from. */
static int list_scopes(const struct session *s, const struct challenge *c, struct strv *ret, struct err *e)
{
	int r = 0;

	if (s->actions && session_repository(s)[0])
		r = strv_addf(ret, "repository:%s:%s", s->ep->repository, s->actions);
	else if (c->scope && *c->scope)
		r = strv_add(ret, c->scope);
	if (r == 0)
		r = strv_add_all(ret, &s->more_scopes);
	return r < 0 ? no_memory(e) : 0;
}

static void add_query(const struct session *s, const struct challenge *c, const struct strv *scopes,
		      struct buf *url)
{
	if (c->service)
		url_add_query(url, "service", c->service);
	for (size_t i = 0; i < scopes->n; i++)
		url_add_query(url, "scope", scopes->v[i]);
	if (s->ep->user)
		url_add_query(url, "account", s->ep->user);
	/* a login wants something to keep */
	if (!s->actions && s->ep->user)
		url_add_query(url, "offline_token", "true");
	if (!s->actions && s->ep->user)
		url_add_query(url, "client_id", CLIENT);
}

/* OAuth2 (distribution, oauth.md): an identity token is exchanged. */
static void make_form(const struct session *s, const struct challenge *c, const struct strv *scopes,
		      struct buf *form)
{
	AUTO(buf_done) struct buf query = { 0 }, scope = { 0 };

	for (size_t i = 0; i < scopes->n; i++)
		buf_addf(&scope, "%s%s", i ? " " : "", scopes->v[i]);
	url_add_query(&query, "grant_type", "refresh_token");
	if (c->service)
		url_add_query(&query, "service", c->service);
	if (scope.len)
		url_add_query(&query, "scope", scope.data);
	url_add_query(&query, "client_id", CLIENT);
	url_add_query(&query, "refresh_token", s->ep->identity_token);
	if (!buf_ok(&query) || scope.failed) {
		form->failed = true;
		return;
	}
	buf_add(form, query.data + 1, query.len - 1); /* without the "?" */
	explicit_bzero(query.data, query.len);
}

static int take_token(struct session *s, const struct http_call *call, struct err *e)
{
	AUTO(answer_done) struct token_answer a = { 0 };
	const char *token;
	int r = json_parse(&token_table, call->text.data ? call->text.data : "", call->text.len, JSON_UNIQUE,
			   &a, e);

	if (r < 0)
		return err_wrap(e, r, "the token server of %s", s->ep->server);
	token = a.token && *a.token ? a.token : a.access_token;
	if (!token || !*token || strpbrk(token, "\r\n"))
		return err_set(e, EPROTO, "the token server of %s gives no token", s->ep->server);
	set_authorization(s, str_printf("Bearer %s", token));
	if (!s->actions && a.refresh_token && *a.refresh_token) {
		free(s->identity_token);
		s->identity_token = take_ptr(a.refresh_token);
	}
	return s->authorization ? 1 : no_memory(e);
}

static int end_token(struct session *s, struct errand *er, struct err *e)
{
	autofree char *what = str_printf("the token server of %s", s->ep->server);

	if (!what)
		return no_memory(e);
	if (!er->call.status)
		return err_set(e, er->call.err.no, "%s: %s", what, er->call.err.msg);
	if (er->call.status == 401 || er->call.status == 403)
		return errand_refused(er,
				      s->ep->user || s->ep->identity_token ? "wrong user name or password"
									   : "login is needed",
				      e);
	return er->call.status == 200 ? take_token(s, &er->call, e) : errand_refused(er, what, e);
}

static int get_bearer(struct session *s, const struct challenge *c, struct err *e)
{
	static const struct http_trust nobody;
	AUTO(strv_done) struct strv scopes = { 0 };
	AUTO(buf_done) struct buf url = { 0 }, form = { 0 };
	autofree char *password = NULL, *origin = url_origin(c->realm);
	struct errand er = { .call.method = "GET" };
	int r = check_realm(s, c->realm, e);

	if (r == 0)
		r = list_scopes(s, c, &scopes, e);
	if (r < 0)
		return r;
	buf_adds(&url, c->realm);
	if (s->ep->identity_token) {
		make_form(s, c, &scopes, &form);
		er.call.method = "POST";
		er.call.content_type = "application/x-www-form-urlencoded";
		er.call.body = form.data;
		er.call.body_bytes = form.len;
	} else {
		add_query(s, c, &scopes, &url);
		password = s->ep->user ? basic(s->ep) : NULL;
		er.call.authorization = password;
	}
	if (!buf_ok(&url) || form.failed || (s->ep->user && !s->ep->identity_token && !password))
		return no_memory(e);
	er.call.url = url.data;
	er.call.trust = origin && !strcmp(origin, s->origin) ? &s->trust : &nobody;
	for (unsigned n = 0; n < RETRIES_MAX; n++) {
		r = http_run(s->http, &er.call, e);
		if (r < 0 || !er.call.again || n + 1 == RETRIES_MAX)
			break;
		http_end(s->http, &er.call);
		retry_pause(n);
	}
	if (r == 0)
		r = end_token(s, &er, e);
	http_end(s->http, &er.call);
	return r;
}

int token_get(struct session *s, const struct challenge *c, struct err *e)
{
	if (c->kind == CHALLENGE_BEARER)
		return get_bearer(s, c, e);
	if (!s->ep->user)
		return 0;
	set_authorization(s, basic(s->ep));
	return s->authorization ? 1 : no_memory(e);
}

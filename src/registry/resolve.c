/* resolve.c - from a name as it was typed to the servers that may have it, with what each may be told */
#include "registry/resolve.h"

#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/parse.h"
#include "registry/auth.h"
#include "registry/certs.h"
#include "registry/registries.h"

#define HUB	   "docker.io"
#define HUB_SERVER "registry-1.docker.io"

struct resolving {
	const struct registry_files *files;
	struct registries conf;
	enum resolve_for what;
};

static void resolving_done(struct resolving *rs)
{
	registries_done(&rs->conf);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

bool is_loopback_server(const char *server)
{
	size_t n = *server == '[' ? strcspn(server, "]") + 1 : strcspn(server, ":");
	const char *p = server;

	if ((n == 9 && !strncasecmp(server, "localhost", n)) || (n == 5 && !strncmp(server, "[::1]", n)))
		return true;
	/* four numbers, so that 127.evil.example is none */
	for (int i = 0; i < 4; i++) {
		size_t digits = strspn(p, "0123456789");

		if (!digits || digits > 3 || (i < 3 && p[digits] != '.'))
			return false;
		p += digits + (i < 3);
	}
	return p == server + n && !strncmp(server, "127.", 4);
}

void registry_endpoint_done(struct registry_endpoint *ep)
{
	credentials_done(&(struct credentials){ ep->user, ep->password, ep->identity_token });
	certs_done(&(struct certs){ ep->ca, ep->cert, ep->key });
	free(ep->server);
	free(ep->repository);
	*ep = (struct registry_endpoint){ 0 };
}

static void meaning_done(struct meaning *m)
{
	reference_done(&m->ref);
	for (size_t i = 0; i < m->n_endpoints; i++)
		registry_endpoint_done(&m->endpoints[i]);
	free(m->endpoints);
}

void resolution_done(struct resolution *r)
{
	for (size_t i = 0; i < r->n_meanings; i++)
		meaning_done(&r->meanings[i]);
	free(r->meanings);
	*r = (struct resolution){ 0 };
}

/* --- one server */

/* What it may be told: found under `known_as`, "host/path", and bound to that server. */
static int arm(const struct registry_files *files, const char *known_as, bool insecure,
	       struct registry_endpoint *ep, struct err *e)
{
	autofree char *host = strndup(known_as, strcspn(known_as, "/"));
	struct credentials c = { 0 };
	struct certs certs = { 0 };
	int r = host ? auth_find(files->auth, known_as, &c, e) : no_memory(e);

	if (r < 0)
		return r;
	ep->user = c.user;
	ep->password = c.password;
	ep->identity_token = c.identity_token;
	r = certs_load(files->cert_dir, host, &certs, e);
	if (r < 0)
		return r;
	ep->ca = certs.ca;
	ep->cert = certs.cert;
	ep->key = certs.key;
	ep->plain = insecure || is_loopback_server(host);
	ep->server = strdup(!strcmp(host, HUB) ? HUB_SERVER : host);
	return ep->server ? 0 : no_memory(e);
}

static int add_endpoint(struct resolving *rs, const char *place, bool insecure, struct meaning *m,
			struct err *e)
{
	const char *slash = strchr(place, '/');
	struct registry_endpoint *more = reallocarray(m->endpoints, m->n_endpoints + 1, sizeof(*more));

	if (!more)
		return no_memory(e);
	m->endpoints = more;
	if (!slash)
		return err_set(e, EINVAL, "registries.conf: \"%.80s\" leaves no name of an image", place);
	more[m->n_endpoints] = (struct registry_endpoint){ .repository = strdup(slash + 1) };
	if (!more[m->n_endpoints++].repository)
		return no_memory(e);
	return arm(rs->files, place, insecure, &more[m->n_endpoints - 1], e);
}

/* --- one meaning */

static int add_mirrors(struct resolving *rs, const struct registry_rule *rule, const char *whole,
		       struct meaning *m, struct err *e)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rule->n_mirrors; i++) {
		const struct mirror *mi = &rule->mirrors[i];
		autofree char *place = NULL;

		if ((mi->use == MIRROR_DIGEST_ONLY && !m->ref.has_digest) ||
		    (mi->use == MIRROR_TAG_ONLY && m->ref.has_digest))
			continue;
		place = registry_rule_move(rule, mi->location, whole);
		r = place ? add_endpoint(rs, place, mi->insecure, m, e) : no_memory(e);
	}
	return r;
}

static int add_endpoints(struct resolving *rs, struct meaning *m, struct err *e)
{
	autofree char *whole = reference_whole_name(m->ref.name), *place = NULL;
	const struct registry_rule *rule = whole ? registries_find(&rs->conf, whole) : NULL;
	int r = 0;

	if (!whole)
		return no_memory(e);
	if (!rule)
		return add_endpoint(rs, whole, false, m, e);
	if (rule->blocked)
		return err_set(e, EPERM, "registries.conf blocks %.200s", whole);
	if (rs->what == RESOLVE_PULL)
		r = add_mirrors(rs, rule, whole, m, e);
	if (r < 0)
		return r;
	place = registry_rule_move(rule, rule->location, whole);
	return place ? add_endpoint(rs, place, rule->insecure, m, e) : no_memory(e);
}

static int add_meaning(struct resolving *rs, const char *name, struct resolution *to, struct err *e)
{
	struct meaning *more = reallocarray(to->meanings, to->n_meanings + 1, sizeof(*more)), m = { 0 };
	int r;

	if (!more)
		return no_memory(e);
	to->meanings = more;
	r = reference_parse(name, &m.ref, e);
	if (r == 0)
		r = add_endpoints(rs, &m, e);
	if (r < 0) {
		meaning_done(&m);
		return r;
	}
	more[to->n_meanings++] = m;
	return 0;
}

/* --- short names */

/* Does it say its host? */
static bool is_qualified(const char *name, const struct reference *ref)
{
	autofree char *whole = reference_whole_name(ref->name);
	size_t host = whole ? strcspn(whole, "/") : 0;

	return strcmp(whole ? whole : "", ref->name) == 0 ||
	       (host && !strncmp(name, whole, host) && name[host] == '/') ||
	       !strncmp(name, "index.docker.io/", 16);
}

static int add_short(struct resolving *rs, const char *name, const struct reference *ref,
		     struct resolution *to, struct err *e)
{
	size_t n = strcspn(name, ":@");
	autofree char *bare = strndup(name, n), *whole = NULL;
	const char *alias = bare ? strv_env_get(&rs->conf.aliases, bare) : NULL;
	int r = 0;

	if (!bare)
		return no_memory(e);
	if (alias) {
		whole = str_printf("%s%s", alias, name + n);
		return whole ? add_meaning(rs, whole, to, e) : no_memory(e);
	}
	if (!rs->conf.search.n || rs->what == RESOLVE_PUSH)
		return add_meaning(rs, name, to, e);
	for (size_t i = 0; r == 0 && i < rs->conf.search.n; i++) {
		autofree char *there = str_printf("%s/%s", rs->conf.search.v[i], name);

		r = there ? add_meaning(rs, there, to, e) : no_memory(e);
	}
	return r;
}

static const char *conf_file(const struct registry_files *files)
{
	const char *env = getenv("CONTAINERS_REGISTRIES_CONF");

	return files->conf ? files->conf : env && *env ? env : NULL;
}

int registry_resolve(const struct registry_files *files, const char *name, enum resolve_for what,
		     struct resolution *ret, struct err *e)
{
	AUTO(resolving_done) struct resolving rs = { .files = files, .what = what };
	AUTO(reference_done) struct reference ref = { 0 };
	struct resolution all = { 0 };
	int r = reference_parse(name, &ref, e);

	if (r == 0)
		r = registries_load(conf_file(files), &rs.conf, e);
	if (r == 0)
		r = is_qualified(name, &ref) ? add_meaning(&rs, name, &all, e)
					     : add_short(&rs, name, &ref, &all, e);
	if (r < 0) {
		resolution_done(&all);
		return r;
	}
	*ret = all;
	return 0;
}

int registry_resolve_server(const struct registry_files *files, const char *server,
			    struct registry_endpoint *ret, struct err *e)
{
	AUTO(resolving_done) struct resolving rs = { .files = files };
	AUTO(reference_done) struct reference ref = { 0 };
	autofree char *probe = str_printf("%s/x", server);
	struct registry_endpoint ep = { 0 };
	const struct registry_rule *rule;
	int r = probe ? reference_parse(probe, &ref, e) : no_memory(e);

	if (r < 0)
		return r;
	if (strchr(server, '/') || (strcmp(server, HUB) != 0 && strcmp(ref.name, probe) != 0))
		return err_set(e, EINVAL, "\"%.80s\" is no server: host or host:port", server);
	r = registries_load(conf_file(files), &rs.conf, e);
	if (r < 0)
		return r;
	rule = registries_find(&rs.conf, server);
	if (rule && rule->blocked)
		return err_set(e, EPERM, "registries.conf blocks %.200s", server);
	r = arm(files, server, rule && rule->insecure, &ep, e);
	if (r < 0) {
		registry_endpoint_done(&ep);
		return r;
	}
	*ret = ep;
	return 0;
}

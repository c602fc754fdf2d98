/* search.c - which images there are: Docker's index (GET /v1/search), or the catalog of a registry of one's own
 *
 * distribution-spec has no search.  A server that has no index is asked for the list of all its repositories, where
 * it gives one, and the words are looked for in their names.
 */
#include <errno.h>
#include <string.h>
#include <strings.h>

#include "base/auto.h"
#include "distribution/job.h"
#include "distribution/url.h"

#define PAGE	  100
#define PAGES_MAX 1000

struct hit {
	char *name, *description;
	uint64_t stars;
	bool official;
};

struct index_page {
	struct hit *results;
	size_t n_results;
};

static const struct jfield hit_fields[] = {
	J(J_STR, struct hit, name),
	J(J_STR, struct hit, description),
	JK(J_U64, struct hit, stars, "star_count"),
	JK(J_BOOL, struct hit, official, "is_official"),
	{ 0 },
};
static const struct jtable hit_table = { sizeof(struct hit), hit_fields };
static const struct jfield index_fields[] = {
	JA(struct index_page, results, n_results, "results", &hit_table),
	{ 0 },
};
static const struct jtable index_table = { sizeof(struct index_page), index_fields };

struct catalog {
	struct strv repositories;
};

static const struct jfield catalog_fields[] = { J(J_STRV, struct catalog, repositories), { 0 } };
static const struct jtable catalog_table = { sizeof(struct catalog), catalog_fields };

static void catalog_done(struct catalog *c)
{
	json_done(&catalog_table, c);
}

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

/* 1: it has an index and this is what it says. */
static int ask_index(struct registry_job *job, struct session *s, struct err *e)
{
	AUTO(buf_done) struct buf url = { 0 };
	autofree char *limit = str_printf("%d", job->request->limit);
	struct errand er = { .call.method = "GET" };
	struct index_page page = { 0 };
	struct registry_message m = { 0 };
	int r;

	buf_addf(&url, "%s/v1/search", s->origin);
	url_add_query(&url, "q", job->request->reference);
	if (limit)
		url_add_query(&url, "n", limit);
	r = limit && buf_ok(&url) ? errand_insist(s, &er, url.data, e) : no_memory(e);
	if (r == 0 && er.call.status == 200) {
		r = json_parse(&index_table, er.call.text.data ? er.call.text.data : "", er.call.text.len, 0,
			       &page, e);
		r = r < 0 ? err_wrap(e, r, "the index of %s", s->ep->server) : 1;
	}
	m.found = r > 0 ? calloc(page.n_results + 1, sizeof(*m.found)) : NULL;
	for (size_t i = 0; m.found && i < page.n_results && i < (size_t)job->request->limit; i++) {
		const struct hit *h = &page.results[i];

		m.found[m.n_found++] =
			(struct registry_found){ h->name, h->description, h->stars, h->official };
	}
	if (r > 0)
		job_say(job, &m);
	free(m.found);
	json_done(&index_table, &page);
	errand_done(s, &er);
	return r;
}

static int take_repositories(const struct registry_job *job, const struct errand *er, struct strv *names,
			     struct err *e)
{
	AUTO(catalog_done) struct catalog c = { 0 };
	int r = json_parse(&catalog_table, er->call.text.data ? er->call.text.data : "", er->call.text.len, 0,
			   &c, e);

	if (r < 0)
		return err_wrap(e, r, "the catalog");
	for (size_t i = 0; i < c.repositories.n && names->n < (size_t)job->request->limit; i++)
		if (strcasestr(c.repositories.v[i], job->request->reference) &&
		    strv_add(names, c.repositories.v[i]) < 0)
			return no_memory(e);
	return 0;
}

static int catalog_page(struct registry_job *job, struct session *s, char **where, struct strv *names,
			struct err *e)
{
	struct errand er = { .call.method = "GET" };
	int r = errand_insist(s, &er, *where, e);

	if (r == 0 && er.call.status == 404)
		r = err_set(e, ENOTSUP, "%s has neither an index nor a catalog: it cannot be searched",
			    s->ep->server);
	else if (r == 0 && er.call.status != 200)
		r = errand_refused(&er, s->ep->server, e);
	if (r == 0)
		r = take_repositories(job, &er, names, e);
	free(*where);
	*where = r == 0 ? errand_next_page(&er) : NULL;
	errand_done(s, &er);
	return r;
}

static int ask_catalog(struct registry_job *job, struct session *s, struct err *e)
{
	AUTO(strv_done) struct strv names = { 0 };
	autofree struct registry_found *found = NULL;
	autofree char *where = str_printf("_catalog?n=%d", PAGE);
	int r = where ? 0 : no_memory(e);

	for (int page = 0; r == 0 && where && page < PAGES_MAX && names.n < (size_t)job->request->limit;
	     page++)
		r = catalog_page(job, s, &where, &names, e);
	if (r < 0)
		return r;
	found = calloc(names.n + 1, sizeof(*found));
	for (size_t i = 0; found && i < names.n; i++)
		found[i].name = names.v[i];
	job_say(job, &(const struct registry_message){ .found = found, .n_found = found ? names.n : 0 });
	return 0;
}

int job_search(struct registry_job *job, struct err *e)
{
	AUTO(session_done) struct session s = { 0 };
	int r = session_open(&s, job->http, &job->request->endpoints[0], NULL, e);

	if (r == 0)
		r = ask_index(job, &s, e);
	return r == 0 ? ask_catalog(job, &s, e) : r < 0 ? r : 0;
}

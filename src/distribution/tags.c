/* tags.c - which tags a repository has (distribution-spec, "Listing tags"), page by page */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "distribution/job.h"
#include "oci/reference.h"

#define PAGE	  1000
#define PAGES_MAX 1000

struct tag_list {
	struct strv tags;
};

static const struct jfield list_fields[] = { J(J_STRV, struct tag_list, tags), { 0 } };
static const struct jtable list_table = { sizeof(struct tag_list), list_fields };

static void list_done(struct tag_list *l)
{
	json_done(&list_table, l);
}

static int take_page(const struct errand *er, struct strv *tags, struct err *e)
{
	AUTO(list_done) struct tag_list l = { 0 };
	int r = json_parse(&list_table, er->call.text.data ? er->call.text.data : "", er->call.text.len,
			   JSON_UNIQUE, &l, e);

	if (r < 0)
		return err_wrap(e, r, "the list of tags");
	for (size_t i = 0; i < l.tags.n; i++)
		if (!is_reference_tag(l.tags.v[i]))
			return err_set(e, EPROTO, "the list of tags: \"%.80s\" is none", l.tags.v[i]);
	return strv_add_all(tags, &l.tags) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int list_tags(struct session *s, struct strv *tags, struct err *e)
{
	autofree char *where = str_printf("tags/list?n=%d", PAGE);
	int r = 0;

	for (int page = 0; r == 0 && where; page++) {
		struct errand er = { .call.method = "GET" };

		if (page == PAGES_MAX)
			return err_set(e, E2BIG, "more than %d tags", PAGE * PAGES_MAX);
		r = errand_insist(s, &er, where, e);
		if (r == 0 && er.call.status != 200)
			r = errand_refused(&er, s->ep->repository, e);
		if (r == 0)
			r = take_page(&er, tags, e);
		free(where);
		where = r == 0 ? errand_next_page(&er) : NULL;
		errand_done(s, &er);
	}
	return r;
}

int job_tags(struct registry_job *job, struct err *e)
{
	const struct registry_request *rq = job->request;
	AUTO(strv_done) struct strv tags = { 0 };
	int r = err_set(e, EINVAL, "no server to ask");

	for (size_t i = 0; r < 0 && i < rq->n_endpoints; i++) {
		AUTO(session_done) struct session s = { 0 };

		strv_done(&tags);
		r = session_open(&s, job->http, &rq->endpoints[i], "pull", e);
		if (r == 0)
			r = list_tags(&s, &tags, e);
	}
	if (r == 0)
		job_say(job, &(const struct registry_message){ .tags = tags });
	return r;
}

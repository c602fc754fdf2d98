/* login.c - does a server take this user name and password? */
#include <errno.h>

#include "base/auto.h"
#include "distribution/job.h"

int job_login(struct registry_job *job, struct err *e)
{
	AUTO(session_done) struct session s = { 0 };
	struct errand er = { .call.method = "GET" };
	int r = session_open(&s, job->http, &job->request->endpoints[0], NULL, e);

	if (r < 0)
		return r;
	r = errand_insist(&s, &er, "", e);
	if (r == 0 && er.call.status == 401)
		r = errand_refused(&er, "wrong user name or password", e);
	else if (r == 0 && er.call.status != 200)
		r = errand_refused(&er, s.ep->server, e);
	if (r == 0 && s.identity_token)
		job_say(job, &(const struct registry_message){ .identity_token = s.identity_token });
	errand_done(&s, &er);
	return r;
}

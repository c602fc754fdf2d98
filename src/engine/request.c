/* request.c - from what the user asked and what the image says to one checked instance_spec
 *
 * Where Docker has a rule it is kept: entrypoint and cmd, the order of the environment, -e KEY, names.
 */
#include "engine/request.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "engine/request_int.h"

#define DEFAULT_PIDS 2048

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int set_str(char **dst, const char *s, struct err *e)
{
	char *copy = s ? strdup(s) : NULL;

	if (s && !copy)
		return no_memory(e);
	free(*dst);
	*dst = copy;
	return 0;
}

/* --- what runs */

static int merge_args(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		      struct err *e)
{
	struct strv *args = &s->process.args;
	int r = 0;

	if (rq->entrypoint)
		r = *rq->entrypoint ? strv_add(args, rq->entrypoint) : 0;
	else
		r = strv_add_all(args, &c->entrypoint);
	s->n_entrypoint = (uint32_t)args->n;
	if (r == 0 && rq->args.n)
		r = strv_add_all(args, &rq->args);
	else if (r == 0 && !rq->entrypoint)
		r = strv_add_all(args, &c->cmd);
	if (r < 0)
		return no_memory(e);
	if (!args->n)
		return err_set(e, EINVAL, "no command specified, and the image has none");
	if (!*args->v[0])
		return err_set(e, EINVAL, "the command is an empty string");
	return 0;
}

/* What the kernel takes, as with Docker; a newline would be a line of its own in /etc/hosts. */
static int check_hostname(const char *s, struct err *e)
{
	size_t n = strlen(s);
	bool bad = n == 0 || n > HOST_NAME_MAX;

	for (size_t i = 0; i < n && !bad; i++)
		bad = iscntrl((unsigned char)s[i]);
	return bad ? err_set(e, EINVAL, "invalid hostname: %.80s", s) : 0;
}

static int merge_hostname(const struct run_request *rq, struct instance_spec *s, struct err *e)
{
	int r;

	if (rq->hostname) {
		r = check_hostname(rq->hostname, e);
		return r < 0 ? r : set_str(&s->hostname, rq->hostname, e);
	}
	if (!s->hostname)
		s->hostname = strndup(s->id, 12);
	return s->hostname ? 0 : no_memory(e);
}

static int merge_cwd(const struct run_request *rq, const struct image_run_config *c, struct process *p,
		     struct err *e)
{
	const char *cwd = rq->workdir ? rq->workdir : c->working_dir;

	if (!cwd || !*cwd)
		cwd = "/";
	if (*cwd != '/')
		return err_set(e, EINVAL, "the working directory '%.200s' is not an absolute path", cwd);
	return set_str(&p->cwd, cwd, e);
}

static int merge_user(const struct run_request *rq, const struct image_run_config *c, struct process *p,
		      struct err *e)
{
	const char *user = rq->user ? rq->user : c->user;
	uint32_t mask;

	for (size_t i = 0; i < rq->groups.n; i++)
		if (!*rq->groups.v[i] || !strcmp(rq->groups.v[i], "keep-groups"))
			return err_set(e, EINVAL, "--group-add: '%.40s' is not the name or number of a group",
				       rq->groups.v[i]);
	if (rq->umask && (parse_mode(rq->umask, &mask) < 0 || mask > 0777))
		return err_set(e, EINVAL, "--umask: '%.40s' is not an octal number up to 0777", rq->umask);
	if (rq->umask)
		p->umask = (struct opt_i64){ true, mask };
	if (strv_add_all(&p->groups, &rq->groups) < 0)
		return no_memory(e);
	return set_str(&p->user, user && *user ? user : NULL, e);
}

/* --- what it may use */

static int merge_limits(const struct run_request *rq, const struct host_facts *h, struct instance_spec *s,
			struct err *e)
{
	s->resources.pids = DEFAULT_PIDS;
	return request_limits(&rq->limits, h, &s->resources, e);
}

static int parse_limit(const char *s, uint64_t *ret)
{
	if (!strcmp(s, "-1") || !strcmp(s, "unlimited")) {
		*ret = UINT64_MAX;
		return 0;
	}
	return parse_u64(s, ret);
}

/* "nofile=1024[:4096]" */
static int parse_ulimit(const char *text, struct rlimit_spec *ret, struct err *e)
{
	static const char *const names[] = { "as",	"core",	    "cpu",	  "data",   "fsize", "locks",
					     "memlock", "msgqueue", "nice",	  "nofile", "nproc", "rss",
					     "rtprio",	"rttime",   "sigpending", "stack" };
	AUTO(strv_done) struct strv kv = { 0 }, lim = { 0 };
	bool known = false;

	if (strv_split(&kv, text, "=") < 0 || (kv.n == 2 && strv_split(&lim, kv.v[1], ":") < 0))
		return no_memory(e);
	if (kv.n != 2 || lim.n > 2)
		return err_set(e, EINVAL, "--ulimit: '%.80s' is not NAME=SOFT[:HARD]", text);
	for (size_t i = 0; i < ARRAY_LEN(names); i++)
		known |= !strcmp(names[i], kv.v[0]);
	if (!known)
		return err_set(e, EINVAL, "--ulimit: unknown limit '%.40s'", kv.v[0]);
	if (parse_limit(lim.v[0], &ret->soft) < 0 || parse_limit(lim.v[lim.n - 1], &ret->hard) < 0)
		return err_set(e, EINVAL, "--ulimit: '%.80s' has an invalid number", text);
	if (ret->soft > ret->hard)
		return err_set(e, EINVAL, "--ulimit %s: the soft limit is above the hard limit", kv.v[0]);
	return set_str(&ret->type, kv.v[0], e);
}

static int merge_ulimits(const struct run_request *rq, struct process *p, struct err *e)
{
	int r = 0;

	if (!rq->ulimits.n)
		return 0;
	p->rlimits = calloc(rq->ulimits.n, sizeof(*p->rlimits));
	if (!p->rlimits)
		return no_memory(e);
	for (size_t i = 0; i < rq->ulimits.n && r == 0; i++) {
		r = parse_ulimit(rq->ulimits.v[i], &p->rlimits[i], e);
		p->n_rlimits = i + 1;
	}
	return r;
}

int request_to_spec(const struct run_request *asked, const struct image *im, const struct host_facts *h,
		    struct instance_spec *s, struct err *e)
{
	struct run_request mine = *asked, *rq = &mine; /* borrows */
	const struct image_run_config *c = &im->config.config;
	struct process *p = &s->process;
	int r = request_system(rq, e);

	if (r < 0)
		return r;
	s->isolation = rq->isolation;
	s->read_only = rq->read_only;
	s->init = rq->init;
	s->privileged = rq->privileged;
	s->auto_remove = rq->auto_remove;
	s->timeout_s = rq->timeout_s;
	s->open_stdin = rq->interactive;
	p->tty = rq->tty;
	p->stdin_open = rq->interactive;
	p->rows = rq->rows;
	p->cols = rq->cols;
	r = request_namespaces(rq, s, e);
	if (r == 0)
		r = merge_hostname(rq, s, e);
	if (r == 0)
		r = merge_args(rq, c, s, e);
	if (r == 0)
		r = request_environment(rq, c, s, e);
	if (r == 0)
		r = merge_cwd(rq, c, p, e);
	if (r == 0)
		r = merge_user(rq, c, p, e);
	if (r == 0)
		r = request_life(rq, c, s, e);
	if (r == 0)
		r = request_health(&rq->health, c, &s->health, e);
	if (r == 0)
		r = request_log(rq->log_driver, &rq->log_opts, &s->log, e);
	if (r == 0)
		r = request_labels(rq, c, s, e);
	if (r == 0)
		r = merge_limits(rq, h, s, e);
	if (r == 0)
		r = merge_ulimits(rq, p, e);
	if (r == 0)
		r = request_network(rq, c, s, e);
	if (r == 0)
		r = request_protection(rq, s, e);
	if (r == 0)
		r = request_sandbox(rq, h, s, e);
	if (r == 0)
		r = request_storage(&rq->storage_opts, &s->storage_bytes, e);
	return r == 0 ? request_mounts(rq, c, s, e) : r;
}

/* commit.c - the config of an image that is made of an instance: the image's own, with what `run` was told
 *
 * The reverse of request.c; pure.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"
#include "engine/engine.h"
#include "engine/request_int.h"

static int set(char **m, const char *text)
{
	char *copy = text && *text ? strdup(text) : NULL;

	if (text && *text && !copy)
		return -ENOMEM;
	free(*m);
	*m = copy;
	return 0;
}

static int set_list(struct strv *list, char *const *v, size_t n)
{
	const struct strv from = { (char **)(uintptr_t)v, n };

	strv_done(list);
	return strv_add_all(list, &from);
}

static int set_args(const struct instance_spec *s, struct image_run_config *c)
{
	const struct strv *args = &s->process.args;
	size_t n = s->n_entrypoint < args->n ? s->n_entrypoint : args->n;
	int r = set_list(&c->entrypoint, args->v, n);

	return r < 0 ? r : set_list(&c->cmd, args->v + n, args->n - n);
}

static bool is_default_env(const struct instance_spec *s, const char *v)
{
	return !strcmp(v, DEFAULT_PATH) || (s->process.tty && !strcmp(v, DEFAULT_TERM)) ||
	       (!strncmp(v, "HOSTNAME=", 9) && s->hostname && !strcmp(v + 9, s->hostname));
}

/* Without what every instance is given, where the image does not say the same. */
static int set_env(const struct instance_spec *s, struct image_run_config *c)
{
	const struct strv *env = &s->process.env;
	struct strv mine = { 0 };
	int r = 0;

	for (size_t i = 0; i < env->n && r == 0; i++) {
		const char *v = env->v[i];

		if (strv_has(&c->env, v) || !is_default_env(s, v))
			r = strv_add(&mine, v);
	}
	strv_done(&c->env);
	c->env = mine;
	return r;
}

static int set_stop_signal(int signo, struct image_run_config *c)
{
	const char *name = sigabbrev_np(signo);
	int image = SIGTERM;
	char text[24];

	if (c->stop_signal && parse_signal(c->stop_signal, &image) < 0)
		image = SIGTERM;
	if (signo == image)
		return 0;
	if (name)
		snprintf(text, sizeof(text), "SIG%s", name);
	else
		snprintf(text, sizeof(text), "%d", signo);
	return set(&c->stop_signal, text);
}

int engine_commit_config(const struct instance_spec *s, const struct image_config *im,
			 struct image_config *ret, struct err *e)
{
	struct image_config c = { 0 };
	struct image_run_config *run = &c.config;
	const char *cwd = s->process.cwd;
	int r = json_copy(&image_config_table, im, &c);

	if (r == 0)
		r = set_args(s, run);
	if (r == 0)
		r = set_env(s, run);
	if (r == 0 && cwd && (run->working_dir || strcmp(cwd, "/")))
		r = set(&run->working_dir, cwd);
	if (r == 0)
		r = set(&run->user, s->process.user);
	if (r == 0)
		r = set_list(&run->labels, s->labels.v, s->labels.n);
	if (r == 0)
		r = set_stop_signal(s->stop_signal, run);
	if (r < 0) {
		json_done(&image_config_table, &c);
		return err_set(e, ENOMEM, "out of memory");
	}
	*ret = c;
	return 0;
}

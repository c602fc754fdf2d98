/* reimage.c - an instance goes on with another image */
#include "engine/reimage.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "engine/request_int.h"
#include "engine/snapshot.h"
#include "engine/volume_int.h"
#include "vm/image_disks.h"

#define RECORD_TRIES 50

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static bool same_text(const char *a, const char *b)
{
	return !strcmp(a ? a : "", b ? b : "");
}

static int set_text(char **member, const char *text)
{
	char *copy = text && *text ? strdup(text) : NULL;

	if (text && *text && !copy)
		return -ENOMEM;
	free(*member);
	*member = copy;
	return 0;
}

/* --- the command */

static bool is_slice(const struct strv *args, size_t from, size_t n, const struct strv *list)
{
	if (n != list->n)
		return false;
	for (size_t i = 0; i < n; i++)
		if (strcmp(args->v[from + i], list->v[i]) != 0)
			return false;
	return true;
}

static int add_slice(struct strv *to, const struct strv *args, size_t from, size_t n)
{
	const struct strv slice = { args->v + from, n };

	return strv_add_all(to, &slice);
}

/* Another entrypoint than the image's was given: then its command was, too. */
static int change_args(const struct image_run_config *was, const struct image_run_config *is,
		       struct instance_spec *s, struct err *e)
{
	struct strv *args = &s->process.args, mine = { 0 };
	size_t n = s->n_entrypoint < args->n ? s->n_entrypoint : args->n;
	bool usual = is_slice(args, 0, n, &was->entrypoint);
	bool usual_cmd = usual && is_slice(args, n, args->n - n, &was->cmd);
	int r;

	if (!usual)
		return 0;
	r = strv_add_all(&mine, &is->entrypoint);
	if (r == 0)
		r = usual_cmd ? strv_add_all(&mine, &is->cmd) : add_slice(&mine, args, n, args->n - n);
	if (r < 0) {
		strv_done(&mine);
		return no_memory(e);
	}
	strv_done(args);
	*args = mine;
	s->n_entrypoint = (uint32_t)is->entrypoint.n;
	return args->n ? 0 : err_set(e, EINVAL, "the new image has no command, and none was given");
}

/* --- lists of KEY=VALUE */

static bool is_usual_env(const struct instance_spec *s, const char *v)
{
	return !strcmp(v, DEFAULT_PATH) || !strcmp(v, DEFAULT_TERM) || !strcmp(v, "container=ketch") ||
	       (!strncmp(v, "HOSTNAME=", 9) && s->hostname && !strcmp(v + 9, s->hostname));
}

/* What every instance has, then the image's, then what was given; a later one wins. */
static int change_env(const struct image_run_config *was, const struct image_run_config *is,
		      struct instance_spec *s)
{
	struct strv *env = &s->process.env, mine = { 0 };
	int r = 0;

	for (size_t i = 0; i < env->n && r == 0; i++)
		if (is_usual_env(s, env->v[i]))
			r = strv_env_set(&mine, env->v[i]);
	if (r == 0 && !strv_env_get(&mine, "PATH"))
		r = strv_env_set(&mine, DEFAULT_PATH);
	for (size_t i = 0; i < is->env.n && r == 0; i++)
		r = strv_env_set(&mine, is->env.v[i]);
	for (size_t i = 0; i < env->n && r == 0; i++)
		if (!is_usual_env(s, env->v[i]) && !strv_has(&was->env, env->v[i]))
			r = strv_env_set(&mine, env->v[i]);
	strv_done(env);
	*env = mine;
	return r;
}

static int change_labels(const struct image_run_config *was, const struct image_run_config *is,
			 struct instance_spec *s)
{
	struct strv mine = { 0 };
	int r = strv_add_all(&mine, &is->labels);

	for (size_t i = 0; i < s->labels.n && r == 0; i++)
		if (!strv_has(&was->labels, s->labels.v[i]))
			r = strv_env_set(&mine, s->labels.v[i]);
	strv_done(&s->labels);
	s->labels = mine;
	return r;
}

/* --- the rest */

static int signal_of(const struct image_run_config *c)
{
	int signo = SIGTERM;

	return c->stop_signal && parse_signal(c->stop_signal, &signo) < 0 ? SIGTERM : signo;
}

static int change_process(const struct image_run_config *was, const struct image_run_config *is,
			  struct instance_spec *s)
{
	const char *dir = was->working_dir && *was->working_dir ? was->working_dir : "/";
	int r = 0;

	if (same_text(s->process.cwd, dir))
		r = set_text(&s->process.cwd, is->working_dir && *is->working_dir ? is->working_dir : "/");
	if (r == 0 && same_text(s->process.user, was->user))
		r = set_text(&s->process.user, is->user);
	if (s->stop_signal == signal_of(was))
		s->stop_signal = signal_of(is);
	return r;
}

static bool is_same_health(const struct image_healthcheck *a, const struct image_healthcheck *b)
{
	AUTO(buf_done) struct buf x = { 0 }, y = { 0 };

	return json_print(&image_healthcheck_table, a, 0, &x) == 0 &&
	       json_print(&image_healthcheck_table, b, 0, &y) == 0 && !strcmp(x.data, y.data);
}

static int change_health(const struct image_run_config *was, const struct image_run_config *is,
			 struct instance_spec *s, struct err *e)
{
	const struct health_request usual = { 0 };
	struct image_healthcheck of_image = { 0 };
	int r = request_health(&usual, was, &of_image, e);
	bool same = r == 0 && is_same_health(&of_image, &s->health);

	json_done(&image_healthcheck_table, &of_image);
	if (r < 0 || !same)
		return r;
	json_done(&image_healthcheck_table, &s->health);
	s->health = (struct image_healthcheck){ 0 };
	return request_health(&usual, is, &s->health, e);
}

static int change_exposed(const struct image_run_config *was, const struct image_run_config *is,
			  struct instance_spec *s, struct err *e)
{
	const struct net_request none = { 0 };
	struct net_spec before = { 0 }, after = { 0 };
	int r = request_ports(&none, was, &before, e);

	if (r == 0)
		r = request_ports(&none, is, &after, e);
	for (size_t i = 0; i < s->net.exposed.n && r == 0; i++) {
		const char *port = s->net.exposed.v[i];

		if (!strv_has(&before.exposed, port) && !strv_has(&after.exposed, port) &&
		    strv_add(&after.exposed, port) < 0)
			r = no_memory(e);
	}
	if (r == 0) {
		strv_done(&s->net.exposed);
		s->net.exposed = after.exposed;
		after.exposed = (struct strv){ 0 };
	}
	json_done(&net_spec_table, &before);
	json_done(&net_spec_table, &after);
	return r;
}

static int change_image(const struct image *to, const char *ref, struct instance_spec *s)
{
	strv_done(&s->layers);
	if (set_text(&s->image, ref) < 0 || set_text(&s->image_id, to->id) < 0)
		return -ENOMEM;
	return image_config_stack(&to->config, &s->layers);
}

int reimage_spec(const struct instance_spec *now, const struct image *from, const struct image *to,
		 const char *ref, struct instance_spec *s, struct err *e)
{
	const struct image_run_config *was = &from->config.config, *is = &to->config.config;
	const struct run_request usual = { 0 };
	int r = 0;

	*s = (struct instance_spec){ 0 };
	if (json_copy(&instance_spec_table, now, s) < 0 || change_env(was, is, s) < 0 ||
	    change_labels(was, is, s) < 0 || change_process(was, is, s) < 0 || change_image(to, ref, s) < 0)
		return no_memory(e);
	r = change_args(was, is, s, e);
	if (r == 0)
		r = change_health(was, is, s, e);
	if (r == 0)
		r = change_exposed(was, is, s, e);
	/* volumes that the new image has and the old one had not; those that are there stay, and their data */
	return r == 0 ? request_mounts(&usual, is, s, e) : r;
}

/* --- what is recorded */

static int fit_image(struct engine *en, const struct image *to, struct instance_spec *s, struct err *e)
{
	const char *arch = to->config.architecture;
	const struct host_facts *h = engine_facts(en);
	int r;

	if (arch && *arch && h->arch && strcmp(arch, h->arch) != 0)
		return err_set(e, EINVAL, "the image is for %.20s, and this is %.20s", arch, h->arch);
	if (s->isolation == ISOLATION_VM)
		s->vm.layer_disks =
			image_layers_are_files(en->images, &s->layers) ? image_disks_choose(s) : 0;
	r = volumes_resolve(en, s, e);
	return r == 0 ? engine_check_plan(en, s, e) : r;
}

int engine_reimage_plan(struct engine *en, const struct instance *in, const char *ref,
			struct instance_spec *ret, struct err *e)
{
	struct image from = { 0 }, to = { 0 };
	struct instance_spec s = { 0 };
	int r = image_find(en->images, in->spec.image_id, &from, e);

	if (r == 0)
		r = image_find(en->images, ref, &to, e);
	if (r == 0)
		r = reimage_spec(&in->spec, &from, &to, ref, &s, e);
	if (r == 0)
		r = fit_image(en, &to, &s, e);
	image_done(&from);
	image_done(&to);
	if (r < 0)
		json_done(&instance_spec_table, &s);
	else
		*ret = s;
	return r;
}

static int record(struct engine *en, const struct instance_spec *was, const struct instance_spec *to,
		  struct err *e)
{
	AUTO(writable_done) struct writable w = { 0 };
	AUTO(db_tx_done) struct db_tx tx = { 0 };
	AUTO(strv_done) struct strv made = { 0 };
	char top[LAYER_ID_LEN + 1];
	int r = db_begin(en->db, &tx, e);

	engine_random_hex(LAYER_ID_LEN / 2, top);
	if (r == 0)
		r = writable_find(en->db, to->id, &w, e);
	if (r == 0)
		r = record_check_unchanged(en->db, was, e);
	if (r == 0)
		r = record_replace(en->db, to, e);
	if (r == 0)
		r = volumes_add_mounts(en, to, &made, e);
	if (r == 0)
		r = writable_set(en->db, to->id, top, NULL, w.snapshot, e);
	if (r == 0)
		r = layers_forget(en->db, e);
	if (r == 0)
		r = db_commit(&tx, e);
	if (r == 0)
		volumes_tell_made(en, &made);
	return r;
}

/* Another name, other limits, another network: none of them takes the lock. */
static int plan_anew(struct engine *en, struct instance *now, const char *ref, struct instance_spec *to,
		     struct err *e)
{
	autofree char *id = strdup(to->id);
	int r;

	if (!id)
		return no_memory(e);
	json_done(&instance_spec_table, &now->spec);
	json_done(&instance_spec_table, to);
	r = record_find(en->db, id, &now->spec, e);
	return r < 0 ? r : engine_reimage_plan(en, now, ref, to, e);
}

static int record_patiently(struct engine *en, const struct instance *in, const char *ref,
			    struct instance_spec *to, struct err *e)
{
	AUTO(instance_done) struct instance now = { 0 };
	int r = record(en, &in->spec, to, e);

	for (int i = 1; r == -ESTALE && i < RECORD_TRIES; i++) {
		r = plan_anew(en, &now, ref, to, e);
		if (r == 0)
			r = record(en, &now.spec, to, e);
	}
	return r;
}

int engine_reimage(struct engine *en, const struct instance *in, const char *ref, struct instance_spec *to,
		   struct err *e)
{
	struct instance now = { .spec = in->spec };
	autoclose int all = -1, lock = -1;
	int r = snapshots_lock(en, &in->spec, &all, e);

	if (r == 0)
		r = start_lock(en, &in->spec, &lock, e);
	if (r == -EALREADY)
		r = err_set(e, EBUSY, "%s is running: stop it first", in->spec.name);
	if (r == 0)
		r = truth_settle(en, &now, e);
	json_done(&instance_state_table, &now.state);
	if (r == 0)
		r = record_patiently(en, in, ref, to, e);
	if (r < 0)
		return r;
	engine_tell(en, to, "update", NULL);
	return layers_sweep(en, in->spec.id, e);
}

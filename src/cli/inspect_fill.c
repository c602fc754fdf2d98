/* inspect_fill.c - what has to be worked out before an instance can be printed */
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/inspect_int.h"
#include "cli/text.h"
#include "engine/volume.h"

void view_done(struct view *v)
{
	strv_done(&v->owned);
	strv_done(&v->driver_data);
	strv_done(&v->security);
	strv_done(&v->binds);
	strv_done(&v->tmpfs);
	strv_done(&v->storage);
	strv_done(&v->log_options);
	free(v->mounts);
	strv_done(&v->volume_paths);
	free(v->anonymous);
	view_network_done(v);
}

/* Keeps s, which may be NULL when memory is out: then the view is incomplete, which its printer sees. */
static const char *own(struct view *v, char *s)
{
	return strv_add_take(&v->owned, s) < 0 ? NULL : v->owned.v[v->owned.n - 1];
}

static const char *own_time(struct view *v, int64_t ns)
{
	struct buf b = { 0 };

	text_add_time(&b, ns);
	return own(v, buf_take(&b));
}

static const char *own_signal(struct view *v, int signo)
{
	const char *name = signo > 0 ? sigabbrev_np(signo) : NULL;

	if (signo >= SIGRTMIN && signo <= SIGRTMAX)
		return own(v, str_printf("SIGRTMIN+%d", signo - SIGRTMIN));
	return own(v, name ? str_printf("SIG%s", name) : str_printf("%d", signo));
}

static const char *own_namespace(struct view *v, const struct ns_spec *ns)
{
	return own(v, ns->mode == NS_CONTAINER ? str_printf("container:%s", ns->of)
					       : strdup(ns_mode_names[ns->mode]));
}

static void fill_checks(struct view *v)
{
	const struct health_state *h = &v->in.state.health;

	v->is_checked = health_is_checked(&v->in.spec.health);
	v->first_check = v->checks;
	for (; v->n_checks < h->n_results && v->n_checks < HEALTH_RESULTS; v->n_checks++) {
		const struct health_result *r = &h->results[v->n_checks];

		v->checks[v->n_checks] =
			(struct view_check){ own_time(v, r->start_ns), own_time(v, r->end_ns), r->exit_code,
					     r->output };
	}
}

static int fill_texts(struct view *v, const char *root)
{
	const struct instance_spec *s = &v->in.spec;
	const struct ns_spec *const namespaces[N_NAMESPACES] = { &s->sandbox.ipc, &s->sandbox.pid,
								 &s->sandbox.uts, &s->sandbox.cgroup };
	bool has_file = s->log.driver != LOG_JOURNALD && s->log.driver != LOG_NONE;

	v->created = own_time(v, s->created_ns);
	v->started = own_time(v, v->in.state.started_ns);
	v->finished = own_time(v, v->in.state.finished_ns);
	v->stop_signal = own_signal(v, s->stop_signal);
	fill_checks(v);
	v->log_path = own(v, has_file ? str_printf("%s/instances/%s/log", root, s->id) : strdup(""));
	for (int i = 0; i < N_NAMESPACES; i++)
		v->namespaces[i] = own_namespace(v, namespaces[i]);
	return v->owned.n == 5 + N_NAMESPACES + 2 * v->n_checks ? 0 : -ENOMEM;
}

static void fill_values(struct view *v)
{
	const struct instance_spec *s = &v->in.spec;
	const struct resources *r = &s->resources;

	/* Docker's word for paused and restarting ones, too */
	v->running = instance_is_live(&v->in.state) && v->in.state.status != STATUS_STARTING;
	v->paused = v->in.state.status == STATUS_PAUSED;
	v->restarting = v->in.state.status == STATUS_RESTARTING;
	v->platform = "linux";
	if (s->process.args.n) {
		v->path = s->process.args.v[0];
		v->args = (struct strv){ s->process.args.v + 1, s->process.args.n - 1 };
	}
	v->entrypoint = (struct strv){ s->process.args.v, s->n_entrypoint };
	v->cmd = (struct strv){ s->process.args.v + s->n_entrypoint, s->process.args.n - s->n_entrypoint };
	v->nano_cpus = r->cpu_milli * 1000000;
	v->memory_swap = r->memory_swap_bytes ? r->memory_swap_bytes : (int64_t)r->memory_bytes;
	v->shm_bytes = s->sandbox.shm_bytes ? s->sandbox.shm_bytes : DEFAULT_SHM_BYTES;
	v->seccomp = s->seccomp ? s->seccomp : "unconfined";
	v->userns = s->sandbox.auto_ids ? "auto" : s->userns ? "private" : "host";
}

static int fill_security(struct view *v)
{
	const struct instance_spec *s = &v->in.spec;
	int r = 0;

	if (!s->seccomp)
		r = strv_add(&v->security, "seccomp=unconfined");
	if (r == 0 && s->process.no_new_privs)
		r = strv_add(&v->security, "no-new-privileges");
	if (r == 0 && s->sandbox.apparmor)
		r = strv_addf(&v->security, "apparmor=%s", s->sandbox.apparmor);
	return r;
}

/* As --log-opt takes them. */
static int fill_log(struct view *v)
{
	const struct log_spec *log = &v->in.spec.log;
	const struct {
		const char *name, *text;
	} texts[] = {
		{ "env", log->env },	   { "env-regex", log->env_regex },
		{ "labels", log->labels }, { "labels-regex", log->labels_regex },
		{ "tag", log->tag },
	};
	int r = 0;

	if (log->max_bytes)
		r = strv_addf(&v->log_options, "max-size=%" PRIu64, log->max_bytes);
	if (r == 0 && log->max_files)
		r = strv_addf(&v->log_options, "max-file=%" PRIu32, log->max_files);
	for (size_t i = 0; i < ARRAY_LEN(texts) && r == 0; i++)
		if (texts[i].text)
			r = strv_addf(&v->log_options, "%s=%s", texts[i].name, texts[i].text);
	return r;
}

/* What stood behind the target: scripts make the flag again from .Source, .Destination and .Mode. */
static const char *own_mode(struct view *v, const struct mount_spec *m)
{
	if (!m->read_only)
		return m->options;
	return own(v, m->options ? str_printf("ro,%s", m->options) : strdup("ro"));
}

static int fill_mounts(struct view *v, struct engine *en)
{
	int r = 0;

	v->mounts = calloc(v->in.spec.n_mounts + 1, sizeof(*v->mounts));
	if (!v->mounts)
		return -ENOMEM;
	for (size_t i = 0; i < v->in.spec.n_mounts && r == 0; i++) {
		const struct mount_spec *m = &v->in.spec.mounts[i];

		v->mounts[i] = (struct view_mount){
			.type = mount_type_names[m->type],
			.name = m->type == MOUNT_VOLUME ? m->source : NULL,
			.source = m->type == MOUNT_BIND ? m->source : NULL,
			.destination = m->target,
			.driver = m->type == MOUNT_VOLUME ? "local" : NULL,
			.mode = own_mode(v, m),
			.rw = !m->read_only,
			.propagation = m->type != MOUNT_BIND ? NULL
				       : m->propagation	     ? m->propagation
							     : "rprivate",
		};
		if (m->type == MOUNT_VOLUME) {
			r = strv_add_take(&v->volume_paths, volume_path(en, m->source));
			v->mounts[i].source = r == 0 ? v->volume_paths.v[v->volume_paths.n - 1] : NULL;
		}
		if (r == 0 && (m->type == MOUNT_BIND || (m->type == MOUNT_VOLUME && !m->anonymous)))
			r = strv_addf(&v->binds, "%s:%s%s", m->source, m->target, m->read_only ? ":ro" : "");
		else if (m->type == MOUNT_TMPFS)
			r = strv_addf(&v->tmpfs, "%s=%s", m->target, m->options ? m->options : "");
	}
	if (r == 0 && v->in.spec.storage_bytes)
		r = strv_addf(&v->storage, "size=%llu", (unsigned long long)v->in.spec.storage_bytes);
	return r;
}

/* {"/data":{}} */
static int fill_anonymous(struct view *v)
{
	const struct instance_spec *s = &v->in.spec;
	struct buf out = { 0 };
	const char *between = "";

	buf_addc(&out, '{');
	for (size_t i = 0; i < s->n_mounts; i++) {
		if (!s->mounts[i].anonymous)
			continue;
		buf_adds(&out, between);
		json_add_str(&out, s->mounts[i].target);
		buf_adds(&out, ":{}");
		between = ",";
	}
	buf_addc(&out, '}');
	v->anonymous = buf_take(&out);
	return v->anonymous ? 0 : -ENOMEM;
}

/* Where its root is kept: the trees of layers and what it writes, or one file and a disk. */
static int fill_driver(struct view *v, const char *root)
{
	const struct instance_spec *s = &v->in.spec;
	AUTO(buf_done) struct buf lower = { 0 };
	int r;

	if (s->isolation == ISOLATION_VM) {
		v->driver = "erofs";
		return strv_addf(&v->driver_data, "Disk=%s/instances/%s/disk.ext4", root, s->id);
	}
	v->driver = "overlay";
	for (size_t i = s->layers.n; i > 0; i--)
		buf_addf(&lower, "%s%s/layers/%s", i < s->layers.n ? ":" : "", root,
			 s->layers.v[i - 1] + strlen("sha256:"));
	r = buf_ok(&lower) ? strv_addf(&v->driver_data, "LowerDir=%s", lower.data ? lower.data : "")
			   : -ENOMEM;
	if (r == 0)
		r = strv_addf(&v->driver_data, "UpperDir=%s/instances/%s/upper", root, s->id);
	return r < 0 ? r : strv_addf(&v->driver_data, "WorkDir=%s/instances/%s/work", root, s->id);
}

int view_fill(struct view *v, struct cli *c)
{
	int r = fill_texts(v, cli_root(c));

	fill_values(v);
	if (r == 0)
		r = fill_security(v);
	if (r == 0)
		r = view_fill_network(v);
	if (r == 0)
		r = fill_log(v);
	if (r == 0)
		r = fill_mounts(v, c->engine);
	if (r == 0)
		r = fill_anonymous(v);
	return r < 0 ? r : fill_driver(v, cli_root(c));
}

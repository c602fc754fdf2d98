/* fake_engine.c - an engine, a store and kernels that do nothing and write down what they are asked */
#include "fake_engine.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/io.h"
#include "engine/ask.h"
#include "engine/isolation.h"
#include "engine/request.h"
#include "image/push.h"
#include "kernel/kernel.h"
#include "wire/msg.h"

struct fake fake;

const struct isolation_rule isolation_rules[] = {
	{ "fake-rule", "the fake says so", ISOLATION_VM, NULL },
	{ 0 },
};

static int fails(const char *where, struct err *e)
{
	if (!fake.fail_no || strcmp(fake.fail_in, where))
		return 0;
	return err_set(e, fake.fail_no, "the fake fails in %s", where);
}

static void add_list(const char *key, const struct strv *s)
{
	for (size_t i = 0; i < s->n; i++)
		buf_addf(&fake.calls, " %s=%s", key, s->v[i]);
}

static void add_text(const char *key, const char *s)
{
	if (s)
		buf_addf(&fake.calls, " %s=%s", key, s);
}

static void add_number(const char *key, long long n)
{
	if (n)
		buf_addf(&fake.calls, " %s=%lld", key, n);
}

static void add_request(const struct run_request *rq)
{
	add_text("image", rq->image);
	add_list("arg", &rq->args);
	add_text("name", rq->name);
	add_number("isolation", rq->isolation);
	add_number("auto", rq->auto_isolation);
	add_list("env", &rq->env);
	add_list("env-file", &rq->env_files);
	add_text("workdir", rq->workdir);
	add_text("user", rq->user);
	add_text("hostname", rq->hostname);
	add_list("volume", &rq->volumes);
	add_list("mount", &rq->mounts);
	add_list("volumes-from", &rq->volumes_from);
	add_list("tmpfs", &rq->tmpfs);
	add_number("memory", (long long)rq->limits.memory_bytes);
	add_number("cpu", (long long)rq->limits.cpu_milli);
	add_number("pids", rq->limits.pids_limit);
	add_list("ulimit", &rq->ulimits);
	add_number("read-only", rq->read_only);
	add_number("init", rq->init);
	add_number("privileged", rq->privileged);
	add_number("interactive", rq->interactive);
	add_number("tty", rq->tty);
	add_number("rm", rq->auto_remove);
	add_text("userns", rq->sandbox.userns);
	add_text("entrypoint", rq->entrypoint);
	add_list("cap-add", &rq->cap_add);
	add_list("cap-drop", &rq->cap_drop);
	add_list("security-opt", &rq->security_opt);
	add_list("label", &rq->labels);
	add_text("stop-signal", rq->stop_signal);
	add_text("stop-timeout", rq->stop_timeout);
	add_text("restart", rq->restart);
	add_text("pidfile", rq->pid_file);
	add_list("network", &rq->net.networks);
	add_text("ip", rq->net.ip);
	add_list("publish", &rq->net.publish);
	add_number("publish-all", rq->net.publish_all);
	add_text("kernel", rq->kernel);
	buf_addc(&fake.calls, '\n');
}

/* --- engine */

int engine_open(const char *root, const char *run_root, bool make, struct engine **ret, struct err *e)
{
	buf_addf(&fake.calls, "open %s %s\n", root, run_root);
	*ret = fails("open", e) < 0 ? NULL : (struct engine *)&fake;
	return *ret ? 0 : -e->no;
}

struct engine *engine_close(struct engine *en)
{
	return NULL;
}

struct image_store *engine_images(struct engine *en)
{
	return (struct image_store *)en;
}

enum store_state image_store_state(const struct image_store *s)
{
	return STORE_WHOLE;
}

const struct host_facts *engine_facts_kvm(struct engine *en)
{
	return engine_facts(en);
}

const struct host_facts *engine_facts(struct engine *en)
{
	static const struct host_facts facts = { .cgroup_mode = CGROUP_V2,
						 .cpus = 2,
						 .ram_bytes = 4000000000 };

	return &facts;
}

void engine_set_progress(struct engine *en, image_progress progress, void *arg)
{
}

int engine_create(struct engine *en, const struct run_request *rq, struct instance_spec *ret, struct err *e)
{
	buf_adds(&fake.calls, "create");
	add_request(rq);
	ret->id = strdup("0123456789abcdef");
	ret->auto_remove = rq->auto_remove;
	ret->open_stdin = rq->interactive;
	ret->process.tty = rq->tty;
	return fails("create", e);
}

int engine_explain(struct engine *en, const struct run_request *rq, const struct isolation_rule **ret,
		   struct err *e)
{
	buf_addf(&fake.calls, "explain image=%s\n", rq->image);
	if (fails("explain", e) < 0)
		return -e->no;
	*ret = &isolation_rules[0];
	return 0;
}

int engine_plan(struct engine *en, const struct run_request *rq, struct plan *ret, struct err *e)
{
	static const struct step_op op = { .name = "fake-step" };

	buf_adds(&fake.calls, "plan");
	add_request(rq);
	return plan_add(ret, &op, "/what", NULL, NULL, 0);
}

/* The whole conversation is in the socket before it begins. */
static int conversation(uint32_t stream, int *ret_fd)
{
	struct buf out = { 0 };
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return -errno;
	msg_put_u32(&out, MSG_HELLO, 0, MSG_VERSION);
	if (fake.exit_status < 0) {
		msg_put_text(&out, MSG_FAILED, stream, 127, "exec nosuch: not found");
	} else {
		msg_put_u32(&out, MSG_STARTED, stream, 42);
		msg_put(&out, MSG_STDOUT, stream, "out\n", 4);
		msg_put_u32x2(&out, MSG_EXIT, stream, (uint32_t)fake.exit_status, 0);
	}
	write_full(fds[1], out.data, out.len);
	buf_done(&out);
	close(fds[1]);
	*ret_fd = fds[0];
	return 0;
}

int engine_start(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e)
{
	buf_addf(&fake.calls, "start %s\n", spec->id);
	return fails("start", e) < 0 ? -e->no : conversation(0, ret_fd);
}

int engine_start_locked(struct engine *en, const struct instance *in, int lock, int *ret_fd, struct err *e)
{
	buf_addf(&fake.calls, "start-locked %s %d\n", in->spec.name, lock);
	return conversation(0, ret_fd);
}

int engine_stop_all(struct engine *en, struct strv *ret_names, struct err *e)
{
	buf_adds(&fake.calls, "stop-all\n");
	return strv_add(ret_names, "web");
}

bool engine_starts_at_boot(const struct instance *in)
{
	return in->state.status == STATUS_EXITED;
}

int engine_pause(struct engine *en, const struct instance *in, bool pause, struct err *e)
{
	buf_addf(&fake.calls, "%s %s\n", pause ? "pause" : "unpause", in->spec.name);
	return 0;
}

int engine_connect(struct engine *en, const struct instance *in, int *ret_fd, struct err *e)
{
	buf_addf(&fake.calls, "connect %s\n", in->spec.name);
	return conversation(1, ret_fd);
}

int engine_open_files(struct engine *en, const struct instance *in, int *ret_fd, struct err *e)
{
	buf_addf(&fake.calls, "open-files %s\n", in->spec.name);
	return conversation(1, ret_fd);
}

int engine_size(struct engine *en, const struct instance *in, struct instance_size *ret, struct err *e)
{
	*ret = (struct instance_size){ 12000, 7800000 };
	return 0;
}

int engine_settle_files(struct engine *en, const struct instance *in, struct err *e)
{
	buf_addf(&fake.calls, "settle-files %s\n", in->spec.name);
	return 0;
}

int engine_find(struct engine *en, const char *name, struct instance *ret, struct err *e)
{
	for (size_t i = 0; i < fake.n_instances; i++) {
		const struct instance *in = &fake.instances[i];

		if (!strcmp(in->spec.name, name) || !strcmp(in->spec.id, name))
			return json_copy(&instance_table, in, ret);
	}
	return err_set(e, ENOENT, "no such instance: %s", name);
}

int engine_list(struct engine *en, bool all, struct instance **ret, size_t *ret_n, struct err *e)
{
	struct instance *list = calloc(fake.n_instances + 1, sizeof(*list));
	size_t n = 0;

	for (size_t i = 0; i < fake.n_instances; i++)
		if (all || fake.instances[i].state.status == STATUS_RUNNING)
			json_copy(&instance_table, &fake.instances[i], &list[n++]);
	*ret = list;
	*ret_n = n;
	return 0;
}

void instance_done(struct instance *in)
{
	json_done(&instance_table, in);
}

void instances_free(struct instance *in, size_t n)
{
	for (size_t i = 0; i < n; i++)
		instance_done(&in[i]);
	free(in);
}

static const struct jfield instance_fields[] = {
	JO(struct instance, spec, "spec", &instance_spec_table),
	JO(struct instance, state, "state", &instance_state_table),
	{ 0 },
};
const struct jtable instance_table = { sizeof(struct instance), instance_fields };

int engine_image_in_use(struct engine *en, const char *image_id, bool *ret, struct err *e)
{
	*ret = false;
	return 0;
}

int engine_exec_process(const struct instance *in, struct process *ret, struct err *e)
{
	return json_copy(&process_table, &in->spec.process, ret);
}

int engine_signal(struct engine *en, const struct instance *in, int signo, struct err *e)
{
	if (in->state.status != STATUS_RUNNING)
		return err_set(e, ESRCH, "%s is not running", in->spec.name);
	buf_addf(&fake.calls, "signal %s %d\n", in->spec.name, signo);
	return 0;
}

int engine_stop(struct engine *en, const struct instance *in, int timeout_s, struct err *e)
{
	buf_addf(&fake.calls, "stop %s %d\n", in->spec.name, timeout_s);
	return 0;
}

int engine_stop_ask(struct engine *en, const struct instance *in, int timeout_s, struct stopping *ret,
		    struct err *e)
{
	return engine_stop(en, in, timeout_s, e);
}

int engine_stop_await(struct engine *en, const struct instance *in, int timeout_s, struct stopping *s,
		      struct err *e)
{
	return 0;
}

int engine_end(struct engine *en, const struct instance *in, struct err *e)
{
	buf_addf(&fake.calls, "end %s\n", in->spec.name);
	return 0;
}

int engine_wait(struct engine *en, const struct instance *in, int *ret_exit_code, struct err *e)
{
	*ret_exit_code = in->state.exit_code;
	return 0;
}

int engine_remove(struct engine *en, const struct instance *in, unsigned flags, struct err *e)
{
	if (in->state.status == STATUS_RUNNING && !(flags & REMOVE_FORCE))
		return err_set(e, EBUSY, "%s is running", in->spec.name);
	buf_addf(&fake.calls, "remove %s%s%s\n", in->spec.id, flags & REMOVE_FORCE ? " force" : "",
		 flags & REMOVE_VOLUMES ? " volumes" : "");
	return 0;
}

int engine_ask_top(struct engine *en, const struct instance *in, struct process_list *ret, struct err *e)
{
	return err_set(e, ENOTSUP, "not faked");
}

int engine_usage(struct engine *en, const struct instance *in, struct usage *ret, struct err *e)
{
	return err_set(e, ENOTSUP, "not faked");
}

int engine_update(struct engine *en, const struct instance *in, const struct update_request *rq,
		  struct err *e)
{
	return err_set(e, ENOTSUP, "not faked");
}

int engine_events(struct engine *en)
{
	return -1;
}

int engine_rename(struct engine *en, const struct instance *in, const char *name, struct err *e)
{
	buf_addf(&fake.calls, "rename %s %s\n", in->spec.name, name);
	return 0;
}

uint64_t engine_disk_bytes(struct engine *en, const struct instance *in)
{
	return 1500;
}

int engine_prune(struct engine *en, bool (*takes)(const struct instance *in, void *arg), void *arg,
		 struct strv *ret_ids, uint64_t *ret_bytes, struct err *e)
{
	if (takes && !takes(&fake.instances[1], arg))
		return 0;
	buf_adds(&fake.calls, "prune\n");
	*ret_bytes = 72800000;
	return strv_add(ret_ids, "ccccccccccccdddd");
}

int engine_logs(struct engine *en, const struct instance *in, const struct log_request *rq, struct err *e)
{
	buf_addf(&fake.calls, "logs %s follow=%d tail=%lld timestamps=%d\n", in->spec.name, rq->follow,
		 (long long)rq->tail, rq->timestamps);
	return 0;
}

/* The engine's own parser is not what is tested here. */
int request_env(const struct strv *from, struct strv *env, struct err *e)
{
	add_list("exec-env", from);
	return 0;
}

int request_env_files(const struct strv *files, struct strv *env, struct err *e)
{
	add_list("exec-env-file", files);
	return 0;
}

int request_expose(const char *text, struct strv *ret, struct err *e)
{
	return strv_add(ret, text);
}

int request_all_caps(struct strv *ret, struct err *e)
{
	return strv_add(ret, "CAP_ALL");
}

/* --- store */

void image_done(struct image *im)
{
	free(im->id);
	strv_done(&im->refs);
	json_done(&image_config_table, &im->config);
}

static void copy_image(const struct image *from, struct image *ret)
{
	*ret = (struct image){ .id = strdup(from->id),
			       .size_bytes = from->size_bytes,
			       .created_ns = from->created_ns };
	strv_copy(&ret->refs, &from->refs);
	json_copy(&image_config_table, &from->config, &ret->config);
}

int image_find(struct image_store *s, const char *ref, struct image *ret, struct err *e)
{
	for (size_t i = 0; i < fake.n_images; i++) {
		const struct image *im = &fake.images[i];

		if (strcmp(im->id, ref) && !strv_has(&im->refs, ref) && strcmp(ref, "img") != 0)
			continue;
		copy_image(im, ret);
		return 0;
	}
	return err_set(e, ENOENT, "no such image: %s", ref);
}

int image_list(struct image_store *s, struct image **ret, size_t *ret_n, struct err *e)
{
	struct image *list = calloc(fake.n_images + 1, sizeof(*list));

	for (size_t i = 0; i < fake.n_images; i++)
		copy_image(&fake.images[i], &list[i]);
	*ret = list;
	*ret_n = fake.n_images;
	return 0;
}

int image_tag(struct image_store *s, const char *ref, const char *new_ref, struct err *e)
{
	buf_addf(&fake.calls, "tag %s %s\n", ref, new_ref);
	return 0;
}

int image_remove(struct image_store *s, const char *ref, bool in_use, bool force, struct strv *ret_lines,
		 struct err *e)
{
	buf_addf(&fake.calls, "remove-image %s%s\n", ref, force ? " force" : "");
	return strv_addf(ret_lines, "Untagged: %s", ref);
}

int image_check_new_ref(const char *ref, struct err *e)
{
	return 0;
}

int image_commit(struct image_store *s, int layer_fd, const struct image_commit *commit, char **ret_id,
		 struct err *e)
{
	char junk[4096];

	while (read(layer_fd, junk, sizeof(junk)) > 0)
		;
	buf_addf(&fake.calls, "commit");
	add_text("ref", commit->ref);
	add_text("author", commit->config->author);
	add_text("comment", commit->comment);
	add_list("cmd", &commit->config->config.cmd);
	buf_addc(&fake.calls, '\n');
	*ret_id = strdup("sha256:c0de");
	return 0;
}

int engine_commit_config(const struct instance_spec *s, const struct image_config *im,
			 struct image_config *ret, struct err *e)
{
	return json_copy(&image_config_table, im, ret);
}

int image_import(struct image_store *s, const struct image_import *im, char **ret_id, struct err *e)
{
	buf_addf(&fake.calls, "import %s", im->path);
	add_text("ref", im->ref);
	add_text("comment", im->comment);
	add_list("cmd", &im->config->cmd);
	add_list("env", &im->config->env);
	buf_addc(&fake.calls, '\n');
	*ret_id = strdup("sha256:feed");
	return 0;
}

int image_pull(struct image_store *s, const struct image_pull *rq, struct strv *ret_refs, struct err *e)
{
	buf_addf(&fake.calls, "pull %s%s%s%s\n", rq->name, rq->platform ? " for " : "",
		 rq->platform ? rq->platform : "", rq->all_tags ? " all" : "");
	return strv_addf(ret_refs, "%s:latest", rq->name) < 0 ? -ENOMEM : 0;
}

int image_push(struct image_store *s, const struct image_push *rq, struct err *e)
{
	buf_addf(&fake.calls, "push %s%s\n", rq->name, rq->all_tags ? " all" : "");
	return 0;
}

int image_login(const struct registry_endpoint *ep, int timeout_s, char **ret_token, struct err *e)
{
	buf_addf(&fake.calls, "login %s %s:%s\n", ep->server, ep->user, ep->password);
	return strcmp(ep->password, "wrong") ? 0 : err_set(e, EACCES, "wrong user name or password");
}

int image_search(const struct registry_endpoint *ep, const char *words, int limit, int timeout_s,
		 struct images_found *ret, struct err *e)
{
	buf_addf(&fake.calls, "search %s %s %d\n", ep->server, words, limit);
	return 0;
}

void images_found_done(struct images_found *f)
{
	*f = (struct images_found){ 0 };
}

int image_load(struct image_store *s, const char *path, image_progress progress, void *arg,
	       struct strv *ret_refs, struct err *e)
{
	buf_addf(&fake.calls, "load %s\n", path);
	return strv_add(ret_refs, "x:latest") < 0 || strv_add(ret_refs, "y:1") < 0 ? -ENOMEM : 0;
}

/* --- kernels */

int kernel_list(const char *root, struct kernel **ret, size_t *ret_n, struct err *e)
{
	struct kernel *list = calloc(2, sizeof(*list));

	list[0] = (struct kernel){ .version = strdup("6.1.0-fake"),
				   .image = strdup("/boot/fake"),
				   .size_bytes = 8100000 };
	*ret = list;
	*ret_n = 1;
	return 0;
}

void kernels_free(struct kernel *k, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(k[i].version);
		free(k[i].image);
	}
	free(k);
}

int kernel_import(const char *root, const char *path, const char *modules, char **ret_version, struct err *e)
{
	buf_addf(&fake.calls, "kernel-import %s %s\n", path, modules ? modules : "-");
	*ret_version = strdup("6.1.0-fake");
	return 0;
}

int kernel_build(const char *root, const struct kernel_build_request *rq, char **ret_version, struct err *e)
{
	buf_addf(&fake.calls, "kernel-build %s %s %u\n", rq->source ? rq->source : "-",
		 rq->keep ? rq->keep : "-", rq->jobs);
	*ret_version = strdup("6.1.9-ketch");
	return rq->keep && !strcmp(rq->keep, "stopped") ? err_set(e, ECANCELED, "interrupted") : 0;
}

int kernel_remove(const char *root, const char *version, struct err *e)
{
	return strcmp(version, "6.1.0-fake") ? err_set(e, ENOENT, "no such kernel: %s", version) : 0;
}

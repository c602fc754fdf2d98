/* foreign.c - a configuration that was made in another store becomes one of this store */
#include "engine/foreign.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "engine/net_int.h"
#include "engine/request_int.h"
#include "engine/snapshot.h"
#include "engine/volume_int.h"

/* --- what reaches into the host */

static bool is_privileged(const struct instance_spec *s)
{
	return s->privileged;
}

static bool has_capabilities(const struct instance_spec *s)
{
	const struct run_request usual = { .sandbox.system = s->sandbox.system };
	AUTO(strv_done) struct strv caps = { 0 };

	if (request_caps(&usual, &caps, NULL) < 0)
		return true;
	for (size_t i = 0; i < s->process.caps.n; i++)
		if (!strv_has(&caps, s->process.caps.v[i]))
			return true;
	return false;
}

/* A volume may be a directory of the host, too. */
static bool has_directories(const struct instance_spec *s)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (s->mounts[i].type == MOUNT_BIND || s->mounts[i].volume_options.n)
			return true;
	return false;
}

static bool has_devices(const struct instance_spec *s)
{
	return s->sandbox.n_devices || s->sandbox.device_rules.n;
}

static bool shares_namespaces(const struct instance_spec *s)
{
	const struct sandbox *b = &s->sandbox;

	return ns_is_shared(&b->ipc) || ns_is_shared(&b->pid) || ns_is_shared(&b->uts) ||
	       ns_is_shared(&b->cgroup);
}

static bool shares_network(const struct instance_spec *s)
{
	return s->network == NETWORK_HOST || s->network == NETWORK_CONTAINER;
}

static bool is_less_protected(const struct instance_spec *s)
{
	const struct sandbox *b = &s->sandbox;

	return !s->process.seccomp || b->unmask_all || b->unmasks.n || b->apparmor || b->proc_options;
}

static bool has_ids(const struct instance_spec *s)
{
	return !s->sandbox.auto_ids && (s->sandbox.uid_maps.n || s->sandbox.gid_maps.n);
}

static bool has_cgroup_parent(const struct instance_spec *s)
{
	return s->sandbox.cgroup_parent;
}

static bool has_sysctls(const struct instance_spec *s)
{
	return s->sandbox.sysctls.n;
}

static bool evades_the_oom_killer(const struct instance_spec *s)
{
	return s->resources.oom_score_adj < 0 || s->resources.oom_kill_disable;
}

static const struct {
	const char *flag;
	bool (*is)(const struct instance_spec *s);
} reaches[] = {
	{ "--privileged", is_privileged },
	{ "--cap-add", has_capabilities },
	{ "-v of a directory of the host", has_directories },
	{ "--device", has_devices },
	{ "--ipc, --pid, --uts or --cgroupns of others", shares_namespaces },
	{ "--network of others", shares_network },
	{ "--security-opt", is_less_protected },
	{ "--uidmap", has_ids },
	{ "--cgroup-parent", has_cgroup_parent },
	{ "--sysctl", has_sysctls },
	{ "--oom-score-adj", evades_the_oom_killer },
};

int foreign_check(const struct instance_spec *s, struct err *e)
{
	AUTO(buf_done) struct buf flags = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(reaches); i++)
		if (reaches[i].is(s))
			buf_addf(&flags, "%s%s", flags.len ? ", " : "", reaches[i].flag);
	if (!buf_ok(&flags))
		return err_set(e, ENOMEM, "out of memory");
	return flags.len ? err_set(e, EPERM, "it reaches into this host by %s: say --trusted to allow that",
				   flags.data)
			 : 0;
}

/* --- what was chosen there */

static void forget_choices(struct instance_spec *s)
{
	for (size_t i = 0; i < s->net.n_attachments; i++) {
		struct net_attachment *a = &s->net.attachments[i];

		free(a->network);
		a->network = NULL;
		json_done(&net_port_table, &a->given);
	}
	json_done(&net_port_table, &s->net.spare);
	free(s->seccomp);
	s->seccomp = NULL;
	free(s->vm.kernel);
	s->vm = (struct vm_spec){ 0 };
	for (size_t i = 0; i < s->n_mounts; i++) {
		if (s->mounts[i].type != MOUNT_TMPFS)
			continue;
		free(s->mounts[i].source); /* of a volume that is for one instance */
		s->mounts[i].source = NULL;
	}
}

/* Their names become paths. */
static int check_names(const struct instance_spec *s, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < s->n_mounts && r == 0; i++)
		if (s->mounts[i].type == MOUNT_VOLUME)
			r = volume_name_check(s->mounts[i].source, e);
	if (r == 0 && s->sandbox.cgroup_parent && strstr(s->sandbox.cgroup_parent, ".."))
		r = err_set(e, EINVAL, "--cgroup-parent %.60s: it leads out", s->sandbox.cgroup_parent);
	return r;
}

/* All states of an instance have the same. */
static int choose_ids(struct engine *en, const struct instance_spec *other, struct instance_spec *s,
		      struct err *e)
{
	struct sandbox *b = &s->sandbox;

	if (!b->auto_ids || !other || !other->sandbox.auto_ids)
		return userns_choose(en, s, e);
	b->uid_maps.v[0].host_id = other->sandbox.uid_maps.v[0].host_id;
	b->gid_maps.v[0].host_id = other->sandbox.gid_maps.v[0].host_id;
	return 0;
}

int foreign_take(struct engine *en, const struct foreign_as *as, struct instance_spec *s, struct err *e)
{
	const struct run_request usual = { 0 };
	int r = check_names(s, e);

	forget_choices(s);
	if (r == 0)
		r = instance_become(as->id, as->name, s, e);
	if (r == 0)
		r = choose_ids(en, as->other, s, e);
	if (r == 0)
		r = net_resolve(en, s, false, e);
	if (r == 0)
		r = volumes_resolve(en, s, e);
	if (r == 0)
		r = engine_choose_seccomp(en, &usual, s, e);
	return r == 0 ? engine_choose_machine(en, &usual, s, e) : r;
}

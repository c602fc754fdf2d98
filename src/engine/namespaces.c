/* namespaces.c - what an instance has of others: namespaces, by name, then by descriptor; devices; IDs that none has */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "engine/engine_int.h"
#include "engine/request_int.h"
#include "sys/ns.h"
#include "sys/subid.h"

/* --- whose */

struct ns_use {
	const char *flag, *kind; /* as in /proc/PID/ns, and "ns/KIND" of the boot document */
	struct ns_spec *ns;
};

enum { NS_USES = 3 };

static void list_uses(struct sandbox *b, struct ns_use ret[NS_USES])
{
	ret[0] = (struct ns_use){ "--ipc", "ipc", &b->ipc };
	ret[1] = (struct ns_use){ "--pid", "pid", &b->pid };
	ret[2] = (struct ns_use){ "--uts", "uts", &b->uts };
}

static int check_other(const struct instance *other, const struct ns_use *u, struct err *e)
{
	if (other->spec.isolation != ISOLATION_CONTAINER)
		return err_set(e, EINVAL, "%s container:%s: a virtual machine shares nothing", u->flag,
			       other->spec.name);
	if (!strcmp(u->kind, "ipc") && other->spec.sandbox.ipc.mode != NS_SHAREABLE)
		return err_set(e, EINVAL, "%s container:%s: it was not made with --ipc shareable", u->flag,
			       other->spec.name);
	return 0;
}

static int resolve(struct engine *en, const struct ns_use *u, struct err *e)
{
	AUTO(instance_done) struct instance other = { 0 };
	int r = engine_find(en, u->ns->of, &other, e);

	if (r == 0)
		r = check_other(&other, u, e);
	else
		err_wrap(e, r, "%s", u->flag);
	if (r < 0)
		return r;
	free(u->ns->of);
	u->ns->of = strdup(other.spec.id);
	return u->ns->of ? 0 : err_set(e, ENOMEM, "out of memory");
}

int namespaces_resolve(struct engine *en, struct sandbox *b, struct err *e)
{
	struct ns_use uses[NS_USES];
	int r = 0;

	list_uses(b, uses);
	for (size_t i = 0; i < NS_USES && r == 0; i++)
		if (uses[i].ns->mode == NS_CONTAINER)
			r = resolve(en, &uses[i], e);
	return r;
}

/* --- opened */

static int give(struct boot *b, const char *name, int fd)
{
	fd = fd_move_above_stdio(fd);
	if (fd < 0)
		return fd;
	if (boot_add_fd(b, name, fd) == 0)
		return 0;
	close(fd);
	return -ENOMEM;
}

static int give_of(struct boot *b, const struct ns_use *u, pid_t pid)
{
	bool ipc = !strcmp(u->kind, "ipc");
	char name[16];
	int r;

	snprintf(name, sizeof(name), "ns/%s", u->kind);
	r = give(b, name, ns_open(pid, u->kind));
	/* with its IPC goes its /dev/shm */
	return r == 0 && ipc ? give(b, "ns/mnt", ns_open(pid, "mnt")) : r;
}

static bool is_there(const struct instance *in)
{
	return in->state.pid && (in->state.status == STATUS_RUNNING || in->state.status == STATUS_PAUSED);
}

static int open_one(struct engine *en, const struct ns_use *u, struct boot *b, struct err *e)
{
	AUTO(instance_done) struct instance other = { 0 };
	int pid, r = engine_find(en, u->ns->of, &other, e);

	if (r < 0)
		return err_wrap(e, r, "%s", u->flag);
	pid = other.state.pid;
	if (!is_there(&other))
		return err_set(e, ESRCH, "%s container:%s: it is not running", u->flag, other.spec.name);
	r = give_of(b, u, pid);
	/* the number may have gone to another process before the descriptors were open */
	if (r == 0)
		r = truth_refresh(en, &other, e);
	if (r == 0 && (!is_there(&other) || other.state.pid != pid))
		return err_set(e, ESRCH, "%s container:%s: it has ended", u->flag, other.spec.name);
	return r < 0 ? err_sys(e, -r, "%s container:%s", u->flag, other.spec.name) : 0;
}

static int open_namespaces(struct engine *en, struct boot *b, struct err *e)
{
	struct ns_use uses[NS_USES];
	int r = 0;

	list_uses(&b->spec.sandbox, uses);
	for (size_t i = 0; i < NS_USES && r == 0; i++)
		if (uses[i].ns->mode == NS_CONTAINER)
			r = open_one(en, &uses[i], b, e);
	return r;
}

int shared_open(struct engine *en, struct boot *boot, struct err *e)
{
	struct sandbox *b = &boot->spec.sandbox;
	int r = 0;

	if (boot->files_only) {
		b->ipc.mode = b->pid.mode = b->uts.mode = NS_PRIVATE;
		return 0;
	}
	for (size_t i = 0; i < b->n_devices && r == 0; i++)
		r = request_device_look(&b->devices[i], e);
	return r < 0 ? r : open_namespaces(en, boot, e);
}

/* --- IDs of --userns auto */

/* Behind those of systemd-nspawn (0x80000 to 0x6fffffff), and no negative numbers to anybody. */
static const struct subid_range default_range = { 0x70000000, 0x10000000 };

static bool is_used(const struct instance_spec *all, size_t n, uint32_t first)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < all[i].sandbox.uid_maps.n; k++) {
			const struct oci_id_mapping *m = &all[i].sandbox.uid_maps.v[k];

			if (m->host_id < (uint64_t)first + USERNS_AUTO_IDS &&
			    first < (uint64_t)m->host_id + m->size)
				return true;
		}
	return false;
}

/* The search begins at a place that the id chooses, so that two commands at once hardly meet. */
static int find_free(const struct instance_spec *all, size_t n, const char *id, uint32_t *ret)
{
	static const char *const users[] = { "ketch", "containers", NULL };
	struct subid_range range = default_range;
	uint32_t blocks, begin;

	subid_find("/etc/subuid", users, USERNS_AUTO_IDS, &range);
	blocks = range.count / USERNS_AUTO_IDS;
	begin = (uint32_t)strtoul((char[]){ id[0], id[1], id[2], id[3], 0 }, NULL, 16);
	for (uint32_t i = 0; i < blocks; i++) {
		uint32_t first = range.first + (begin + i) % blocks * USERNS_AUTO_IDS;

		if (is_used(all, n, first))
			continue;
		*ret = first;
		return 0;
	}
	return -ENOSPC;
}

int userns_choose(struct engine *en, struct instance_spec *s, struct err *e)
{
	struct id_maps *uids = &s->sandbox.uid_maps, *gids = &s->sandbox.gid_maps;
	struct instance_spec *all = NULL;
	uint32_t first;
	size_t n = 0;
	int r;

	if (!s->sandbox.auto_ids)
		return 0;
	r = record_list(en->db, &all, &n, e);
	if (r < 0)
		return r;
	r = find_free(all, n, s->id, &first);
	for (size_t i = 0; i < n; i++)
		json_done(&instance_spec_table, &all[i]);
	free(all);
	if (r < 0)
		return err_set(e, ENOSPC,
			       "--userns auto: no free range of %u IDs is left for user ketch in /etc/subuid",
			       USERNS_AUTO_IDS);
	uids->v[0].host_id = gids->v[0].host_id = first;
	return 0;
}

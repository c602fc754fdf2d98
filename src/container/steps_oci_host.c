/* steps_oci_host.c - the host's trees that an OCI container will see, as detached mounts */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <unistd.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "sys/mount.h"

/* --- binds */

static int apply_bind_open(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int mnt = bind_make(s->from, s->data, e);

	if (mnt < 0)
		return mnt;
	return tree_add(c, s->what, mnt) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}
const struct step_op op_bind_open = { "bind-open", STAGE_HOST, apply_bind_open };

/* --- ID maps */

/* The user namespace that a path names, or one with the maps "UID-LINES/GID-LINES"; kept, for mounts with the same. */
static int userns_for(struct container *c, const struct step *s, struct err *e)
{
	const char *key = s->from ? s->from : s->data, *slash = strchr(s->data, '/');
	autofree char *uids = strndup(s->data, (size_t)(slash - s->data));
	int fd = tree_get(c, key);

	if (fd >= 0)
		return fd;
	if (s->from)
		fd = open(s->from, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	else
		fd = uids ? userns_make(uids, slash + 1) : -ENOMEM;
	if (fd < 0)
		return err_sys(e, s->from ? errno : -fd, "cannot have the user namespace of its ID maps");
	return tree_add(c, key, fd) < 0 ? err_set(e, ENOMEM, "out of memory") : fd;
}

static int apply_idmap(void *ctx, const struct step *s, struct err *e)
{
	struct container *c = ctx;
	int userns = userns_for(c, s, e), r;

	if (userns < 0)
		return userns;
	r = mount_set_idmap(tree_get(c, s->what), userns, s->flags & STEP_DEEP);
	return r < 0 ? err_sys(e, -r, "the file system of its source cannot map IDs") : 0;
}
const struct step_op op_idmap = { "idmap", STAGE_HOST, apply_idmap };

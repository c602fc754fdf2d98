/* bind.c - a copy of a mount of the host's, changed as the options of an OCI mount want it */
#include <errno.h>
#include <sys/mount.h>

#include "base/auto.h"
#include "container/container_int.h"
#include "container/mount_options.h"
#include "sys/mount.h"

int mount_propagate(int mnt, const struct mount_options *o)
{
	size_t first = 0;
	int r = 0;

	/* the last one for the whole tree that leaves nothing of the earlier ones */
	for (size_t i = 1; i < o->n_propagations; i++)
		if (o->propagations[i].deep && (o->propagations[i].type & (MS_PRIVATE | MS_UNBINDABLE)))
			first = i;
	for (size_t i = first; i < o->n_propagations && r == 0; i++)
		r = mount_set_propagation(mnt, o->propagations[i].type, o->propagations[i].deep);
	return r;
}

int mount_apply(int mnt, const struct mount_options *o)
{
	int r = 0;

	if (o->set || o->clear)
		r = mount_change(mnt, o->set, o->clear, false);
	if (r == 0 && (o->deep_set || o->deep_clear))
		r = mount_change(mnt, o->deep_set, o->deep_clear, true);
	return r < 0 ? r : mount_propagate(mnt, o);
}

int bind_make(const char *source, const char *options, struct err *e)
{
	AUTO(mount_options_done) struct mount_options o = { 0 };
	int r = mount_options_parse(options, &o);
	autoclose int mnt = r < 0 ? -1 : mount_clone_path(source, o.deep_bind);

	if (r < 0)
		return err_sys(e, -r, "options \"%s\"", options);
	if (mnt < 0)
		return err_sys(e, -mnt, ".source: \"%s\"", source);
	r = mount_apply(mnt, &o);
	return r < 0 ? err_sys(e, -r, "\"%s\" with the options \"%s\"", source, options) : take_fd(&mnt);
}

/* config.c - the config message for a guest, out of the boot document */
#include "vm/config.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/parse.h"
#include "instance/guest.h"

/* The file at fd (whose position stays) in hexadecimal digits. */
static int hex_of_file(int fd, char **ret)
{
	autofree char *bytes = NULL, *hex = NULL;
	struct stat st;
	size_t n;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_size <= 0 || st.st_size > (off_t)(BPF_MAXINSNS * sizeof(struct sock_filter)))
		return -EINVAL;
	n = (size_t)st.st_size;
	bytes = malloc(n);
	hex = malloc(2 * n + 1);
	if (!bytes || !hex)
		return -ENOMEM;
	if (pread(fd, bytes, n, 0) != (ssize_t)n)
		return -EIO;
	hex_encode(bytes, (unsigned)n, hex);
	*ret = take_ptr(hex);
	return 0;
}

/* The guest knows its sources by number; what they are called here is none of its business. */
static int forget_paths(struct instance_spec *s)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		char tag[GUEST_TAG_MAX];

		if (!s->mounts[i].source)
			continue;
		guest_share_tag(i, tag);
		free(s->mounts[i].source);
		s->mounts[i].source = strdup(tag);
		if (!s->mounts[i].source)
			return -ENOMEM;
	}
	return 0;
}

/* The others are set on the host, for all of the VM. */
static void keep_guest_limits(struct instance_spec *s)
{
	struct resources kept = {
		.memory_bytes = s->resources.memory_bytes,
		.oom_score_adj = s->resources.oom_score_adj,
		.pids = s->resources.pids,
	};

	json_done(&resources_table, &s->resources);
	s->resources = kept;
}

static void config_done(struct guest_config *c)
{
	json_done(&guest_config_table, c);
}

int vm_config_print(const struct boot *b, struct buf *ret, struct err *e)
{
	AUTO(config_done) struct guest_config c = { 0 };
	int fd = boot_fd(b, "seccomp"), r = json_copy(&instance_spec_table, &b->spec, &c.spec);

	if (r == 0)
		keep_guest_limits(&c.spec);
	if (r == 0)
		r = forget_paths(&c.spec);
	if (r == 0 && fd >= 0)
		r = hex_of_file(fd, &c.seccomp);
	if (r == 0)
		r = json_print(&guest_config_table, &c, 0, ret);
	return r < 0 ? err_sys(e, -r, "config of the guest") : 0;
}

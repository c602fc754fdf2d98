/* guest.c - what ketch-guest is told before anything runs in its VM */
#include "instance/guest.h"

#include <errno.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/parse.h"

static const struct jfield guest_config_fields[] = {
	JO(struct guest_config, spec, "spec", &instance_spec_table),
	J(J_STR, struct guest_config, seccomp),
	{ 0 },
};
const struct jtable guest_config_table = { sizeof(struct guest_config), guest_config_fields };

static int check(const struct guest_config *c, struct err *e)
{
	const struct instance_spec *s = &c->spec;

	if (!s->id || !s->name)
		return err_set(e, EINVAL, "config: id, name or time is missing");
	if (s->vm.layer_disks < 0 || s->vm.layer_disks > GUEST_LAYERS_MAX)
		return err_set(e, EINVAL, "config: %d layers", s->vm.layer_disks);
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!s->mounts[i].target || s->mounts[i].target[0] != '/')
			return err_set(e, EINVAL, "config: mount %zu has no target", i);
	if (c->seccomp && (!*c->seccomp || strlen(c->seccomp) % (2 * sizeof(struct sock_filter)) ||
			   strlen(c->seccomp) > 2 * sizeof(struct sock_filter) * BPF_MAXINSNS))
		return err_set(e, EINVAL, "config: the seccomp filter has a wrong length");
	return 0;
}

int guest_config_parse(const char *text, size_t n, struct guest_config *ret, struct err *e)
{
	struct guest_config c = { 0 };
	int r = json_parse(&guest_config_table, text, n, JSON_STRICT, &c, e);

	if (r < 0)
		return r;
	r = check(&c, e);
	if (r < 0) {
		json_done(&guest_config_table, &c);
		return r;
	}
	*ret = c;
	return 0;
}

void *guest_config_filter(const struct guest_config *c, size_t *ret_n)
{
	size_t n = strlen(c->seccomp) / 2;
	void *bytes = malloc(n);

	if (!bytes || hex_decode(c->seccomp, (unsigned)n, bytes) < 0) {
		free(bytes);
		return NULL;
	}
	*ret_n = n;
	return bytes;
}

void guest_share_tag(size_t i, char ret[GUEST_TAG_MAX])
{
	snprintf(ret, GUEST_TAG_MAX, "mount%zu", i);
}

void guest_layer_serial(size_t i, char ret[GUEST_TAG_MAX])
{
	snprintf(ret, GUEST_TAG_MAX, "layer%zu", i);
}

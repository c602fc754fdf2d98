/* ps_filters.c - which instances ketch ps --filter wants */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/ps.h"

static bool fits_id(const void *obj, const char *value, void *arg)
{
	const struct instance *in = obj;

	return *value && !strncmp(in->spec.id, value, strlen(value));
}

static bool fits_name(const void *obj, const char *value, void *arg)
{
	return filter_name(((const struct instance *)obj)->spec.name, value);
}

static bool fits_label(const void *obj, const char *value, void *arg)
{
	return filter_label(&((const struct instance *)obj)->spec.labels, value);
}

static bool fits_exited(const void *obj, const char *value, void *arg)
{
	const struct instance_state *s = &((const struct instance *)obj)->state;
	char code[16];

	snprintf(code, sizeof(code), "%d", s->exit_code);
	return s->status == STATUS_EXITED && !strcmp(code, value);
}

/* Docker's further words for what no instance of ours is are taken, too. */
static bool fits_status(const void *obj, const char *value, void *arg)
{
	return !strcmp(status_names[((const struct instance *)obj)->state.status], value);
}

static bool fits_isolation(const void *obj, const char *value, void *arg)
{
	return !strcmp(isolation_names[((const struct instance *)obj)->spec.isolation], value);
}

static bool fits_health(const void *obj, const char *value, void *arg)
{
	return !strcmp(health_names[((const struct instance *)obj)->state.health.status], value);
}

static bool fits_network(const void *obj, const char *value, void *arg)
{
	const struct instance_spec *s = &((const struct instance *)obj)->spec;

	for (size_t i = 0; i < s->net.n_attachments; i++) {
		const struct net_attachment *a = &s->net.attachments[i];

		if (!strcmp(a->network_name, value) ||
		    (*value && a->network && !strncmp(a->network, value, strlen(value))))
			return true;
	}
	return s->network != NETWORK_ATTACHED && !strcmp(network_names[s->network], value);
}

static bool fits_volume(const void *obj, const char *value, void *arg)
{
	const struct instance_spec *s = &((const struct instance *)obj)->spec;

	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct mount_spec *m = &s->mounts[i];

		if (!strcmp(m->target, value) || (m->source && !strcmp(m->source, value)))
			return true;
	}
	return false;
}

/* "80", "80-90", "80/udp"; of all protocols without one. */
static bool port_fits(const char *value, uint32_t port, int protocol)
{
	const char *slash = strchr(value, '/'), *dash = strchr(value, '-');
	unsigned long first = strtoul(value, NULL, 10), last = dash ? strtoul(dash + 1, NULL, 10) : first;

	return port >= first && port <= last && (!slash || !strcmp(slash + 1, port_protocol_names[protocol]));
}

/* By its port, or the host's for it. */
static bool fits_publish(const void *obj, const char *value, void *arg)
{
	const struct net_spec *n = &((const struct instance *)obj)->spec.net;

	for (size_t i = 0; i < n->n_ports; i++) {
		const struct published_port *p = &n->ports[i];

		if (port_fits(value, p->port, p->protocol) || port_fits(value, p->host_port, p->protocol))
			return true;
	}
	return false;
}

/* Also what is published. */
static bool fits_expose(const void *obj, const char *value, void *arg)
{
	const struct net_spec *n = &((const struct instance *)obj)->spec.net;

	for (size_t i = 0; i < n->n_ports; i++)
		if (port_fits(value, n->ports[i].port, n->ports[i].protocol))
			return true;
	for (size_t i = 0; i < n->exposed.n; i++) {
		const char *text = n->exposed.v[i]; /* "80/tcp" */
		bool udp = strstr(text, "/udp");

		if (port_fits(value, (uint32_t)strtoul(text, NULL, 10), udp ? PORT_UDP : PORT_TCP))
			return true;
	}
	return false;
}

static bool fits_before(const void *obj, const char *value, void *arg)
{
	return ((const struct instance *)obj)->spec.created_ns < ((struct ps_filter_context *)arg)->before_ns;
}

static bool fits_since(const void *obj, const char *value, void *arg)
{
	return ((const struct instance *)obj)->spec.created_ns > ((struct ps_filter_context *)arg)->since_ns;
}

/* An instance descends from an image when its layers begin with the image's, as Docker has it. */
static bool descends(const struct instance_spec *s, const struct image *im)
{
	const struct strv *layers = &im->config.rootfs.diff_ids;

	if (!strcmp(s->image_id, im->id))
		return true;
	if (!layers->n || layers->n > s->layers.n)
		return false;
	for (size_t i = 0; i < layers->n; i++)
		if (strcmp(layers->v[i], s->layers.v[i]))
			return false;
	return true;
}

static bool fits_ancestor(const void *obj, const char *value, void *arg)
{
	const struct ps_filter_context *ctx = arg;
	const struct instance_spec *s = &((const struct instance *)obj)->spec;

	for (size_t i = 0; i < ctx->n_ancestors; i++)
		if (descends(s, &ctx->ancestors[i]))
			return true;
	return !strcmp(s->image, value);
}

#define STATUS_WORDS "created|starting|restarting|running|removing|paused|exited|dead"

const struct filter_kind ps_filter_kinds[] = {
	{ .key = "ancestor", .fits = fits_ancestor },
	{ .key = "before", .fits = fits_before },
	{ .key = "exited", .fits = fits_exited, .number = true },
	{ .key = "expose", .fits = fits_expose },
	{ .key = "health", .choices = "none|starting|healthy|unhealthy", .fits = fits_health },
	{ .key = "id", .fits = fits_id },
	{ .key = "isolation", .choices = "container|vm", .fits = fits_isolation },
	{ .key = "label", .every = true, .fits = fits_label },
	{ .key = "name", .fits = fits_name },
	{ .key = "network", .fits = fits_network },
	{ .key = "publish", .fits = fits_publish },
	{ .key = "since", .fits = fits_since },
	{ .key = "status", .choices = STATUS_WORDS, .fits = fits_status },
	{ .key = "volume", .fits = fits_volume },
	{ 0 },
};

static int add_ancestor(struct ps_filter_context *ctx, const char *name, struct err *e)
{
	struct image *v = reallocarray(ctx->ancestors, ctx->n_ancestors + 1, sizeof(*v));
	int r;

	if (!v)
		return err_set(e, ENOMEM, "out of memory");
	ctx->ancestors = v;
	r = image_find(engine_images(ctx->engine), name, &v[ctx->n_ancestors], e);
	ctx->n_ancestors += r == 0;
	return r == -ENOENT || r == -EINVAL ? 0 : r; /* its instances may still be there */
}

static int find_created(struct ps_filter_context *ctx, const char *name, int64_t *ret_ns, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	int r = engine_find(ctx->engine, name, &in, e);

	if (r == 0)
		*ret_ns = in.spec.created_ns;
	return r;
}

int ps_filters_init(struct ps_filter_context *ret, struct engine *en, const struct strv *given, struct err *e)
{
	int r = filters_check(ps_filter_kinds, given, e);

	*ret = (struct ps_filter_context){ .engine = en, .given = given };
	for (size_t i = 0; i < given->n && r == 0; i++) {
		const char *value = strchr(given->v[i], '=') + 1;

		if (!strncmp(given->v[i], "ancestor=", 9))
			r = add_ancestor(ret, value, e);
		else if (!strncmp(given->v[i], "before=", 7))
			r = find_created(ret, value, &ret->before_ns, e);
		else if (!strncmp(given->v[i], "since=", 6))
			r = find_created(ret, value, &ret->since_ns, e);
	}
	if (r < 0)
		ps_filters_done(ret);
	return r;
}

bool ps_filters_fit(struct ps_filter_context *ctx, const struct instance *in)
{
	return filters_fit(ps_filter_kinds, ctx->given, in, ctx);
}

void ps_filters_done(struct ps_filter_context *ctx)
{
	for (size_t i = 0; i < ctx->n_ancestors; i++)
		image_done(&ctx->ancestors[i]);
	free(ctx->ancestors);
	*ctx = (struct ps_filter_context){ 0 };
}

/* system_df.c - ketch system df: what is kept, how much of it is in use, and what it takes on the disk */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "engine/volume.h"

struct df_args {
	bool verbose;
	char *format;
};

static const struct opt df_opts[] = {
	LISTING_FORMAT(struct df_args, format),
	OPT(FLAG, 'v', "verbose", struct df_args, verbose, NULL,
	    "A line for each image, instance and volume"),
	{ 0 },
};

/* All that there is. */
struct holdings {
	struct image *images;
	size_t n_images;
	struct instance *instances;
	size_t n_instances;
	struct volume *volumes;
	size_t n_volumes;
};

static void holdings_done(struct holdings *h)
{
	for (size_t i = 0; i < h->n_images; i++)
		image_done(&h->images[i]);
	free(h->images);
	instances_free(h->instances, h->n_instances);
	volumes_free(h->volumes, h->n_volumes);
}

static int collect(struct cli *c, struct holdings *h, struct err *e)
{
	int r = image_list(cli_images(c, e), &h->images, &h->n_images, e);

	if (r == 0)
		r = engine_list(c->engine, true, &h->instances, &h->n_instances, e);
	return r < 0 ? r : volume_list(c->engine, &h->volumes, &h->n_volumes, e);
}

static size_t users_of_image(const struct holdings *h, const char *id, bool vm_only)
{
	size_t n = 0;

	for (size_t i = 0; i < h->n_instances; i++)
		n += !strcmp(h->instances[i].spec.image_id, id) &&
		     (!vm_only || h->instances[i].spec.isolation == ISOLATION_VM);
	return n;
}

/* --- the sums */

struct sum {
	size_t total, active;
	uint64_t bytes, reclaimable;
};

static int sum_images(struct cli *c, const struct holdings *h, struct sum *ret, struct err *e)
{
	AUTO(strv_done) struct strv all = { 0 }, active = { 0 };
	struct image_store *s = cli_images(c, e);
	uint64_t used = 0;
	int r = 0;

	for (size_t i = 0; i < h->n_images && r == 0; i++) {
		r = strv_add(&all, h->images[i].id);
		if (r == 0 && users_of_image(h, h->images[i].id, false))
			r = strv_add(&active, h->images[i].id);
	}
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	*ret = (struct sum){ .total = all.n, .active = active.n };
	r = image_layers_bytes(s, &all, &ret->bytes, e);
	if (r == 0)
		r = image_layers_bytes(s, &active, &used, e);
	ret->reclaimable = ret->bytes - (used < ret->bytes ? used : ret->bytes);
	return r;
}

static void add_to(struct sum *s, bool active, uint64_t bytes)
{
	s->total++;
	s->active += active;
	s->bytes += bytes;
	s->reclaimable += active ? 0 : bytes;
}

static int sum_instances(struct cli *c, const struct holdings *h, struct sum *ret, struct err *e)
{
	*ret = (struct sum){ 0 };
	for (size_t i = 0; i < h->n_instances; i++)
		add_to(ret, instance_is_live(&h->instances[i].state),
		       engine_disk_bytes(c->engine, &h->instances[i]));
	return 0;
}

static int sum_volumes(struct cli *c, const struct holdings *h, struct sum *ret, struct err *e)
{
	*ret = (struct sum){ 0 };
	for (size_t i = 0; i < h->n_volumes; i++) {
		AUTO(strv_done) struct strv users = { 0 };
		int r = volume_users(c->engine, h->volumes[i].name, &users, e);

		if (r < 0)
			return r;
		add_to(ret, users.n > 0, volume_bytes(c->engine, h->volumes[i].name));
	}
	return 0;
}

/* There is no builder: its row is for those who look for it. */
static int sum_nothing(struct cli *c, const struct holdings *h, struct sum *ret, struct err *e)
{
	*ret = (struct sum){ 0 };
	return 0;
}

static int sum_roots(struct cli *c, const struct holdings *h, struct sum *ret, struct err *e)
{
	*ret = (struct sum){ 0 };
	for (size_t i = 0; i < h->n_images; i++) {
		uint64_t bytes = image_root_bytes(cli_images(c, e), h->images[i].id);

		if (bytes)
			add_to(ret, users_of_image(h, h->images[i].id, true) > 0, bytes);
	}
	return 0;
}

/* Docker's rows, and one of ours. */
static const struct {
	const char *type;
	int (*sum)(struct cli *c, const struct holdings *h, struct sum *ret, struct err *e);
	bool percent;
} kinds[] = {
	{ "Images", sum_images, true },		{ "Containers", sum_instances, true },
	{ "Local Volumes", sum_volumes, true }, { "Build Cache", sum_nothing, false },
	{ "VM Images", sum_roots, true },
};

struct df_row {
	char *active, *reclaimable, *size, *total;
	const char *type;
};

static const struct jfield df_fields[] = {
	JK(J_STR, struct df_row, active, "Active"), JK(J_STR, struct df_row, reclaimable, "Reclaimable"),
	JK(J_STR, struct df_row, size, "Size"),	    JK(J_STR, struct df_row, total, "TotalCount"),
	JK(J_STR, struct df_row, type, "Type"),	    { 0 },
};
static const struct jtable df_table = { sizeof(struct df_row), df_fields };
static const struct column df_columns[] = { { "TotalCount", "TOTAL" }, { 0 } };
static const struct listing_form df_form = {
	.row = &df_table,
	.columns = df_columns,
	.table = "table {{.Type}}\t{{.TotalCount}}\t{{.Active}}\t{{.Size}}\t{{.Reclaimable}}",
	.quiet = "{{.Type}}",
};

static char *size_text(uint64_t bytes)
{
	struct buf b = { 0 };

	text_add_size(&b, bytes);
	return buf_take(&b);
}

static char *reclaimable_text(const struct sum *s, bool percent)
{
	struct buf b = { 0 };

	text_add_size(&b, s->reclaimable);
	if (percent && s->bytes)
		buf_addf(&b, " (%u%%)", (unsigned)(s->reclaimable * 100 / s->bytes));
	return buf_take(&b);
}

static int add_sum(struct listing *l, size_t kind, const struct sum *s, struct err *e)
{
	autofree char *active = str_printf("%zu", s->active), *total = str_printf("%zu", s->total);
	autofree char *size = size_text(s->bytes), *reclaimable = reclaimable_text(s, kinds[kind].percent);
	const struct df_row row = { active, reclaimable, size, total, kinds[kind].type };

	if (!active || !total || !size || !reclaimable)
		return err_set(e, ENOMEM, "out of memory");
	return listing_add(l, &row, e);
}

static int print_sums(struct cli *c, const struct df_args *a, const struct holdings *h, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	int r = listing_begin(&l, &df_form, a->format, false, e);

	for (size_t i = 0; i < ARRAY_LEN(kinds) && r == 0; i++) {
		struct sum s;

		r = kinds[i].sum(c, h, &s, e);
		if (r == 0)
			r = add_sum(&l, i, &s, e);
	}
	return r < 0 ? r : listing_print(&l, e);
}

/* --- one by one */

static int add_images(struct cli *c, const struct holdings *h, struct table *t, struct err *e)
{
	static const char *const headings[] = { "IMAGE",       "IMAGE ID",    "CREATED",    "SIZE",
						"SHARED SIZE", "UNIQUE SIZE", "CONTAINERS", NULL };

	table_start(t, headings);
	for (size_t i = 0; i < h->n_images; i++) {
		const struct image *im = &h->images[i];
		struct buf b = { 0 };
		uint64_t shared;
		int r = image_shared_bytes(cli_images(c, e), im->id, &shared, e);

		if (r < 0)
			return r;
		table_add(t, im->refs.n ? im->refs.v[0] : "<none>");
		text_add_short_id(&b, im->id);
		table_add_buf(t, &b);
		text_add_ago(&b, clock_real_ns(), im->created_ns);
		table_add_buf(t, &b);
		text_add_size(&b, im->size_bytes);
		table_add_buf(t, &b);
		text_add_size(&b, shared);
		table_add_buf(t, &b);
		text_add_size(&b, im->size_bytes - (shared < im->size_bytes ? shared : im->size_bytes));
		table_add_buf(t, &b);
		buf_addf(&b, "%zu", users_of_image(h, im->id, false));
		table_add_buf(t, &b);
		buf_done(&b);
	}
	return 0;
}

static int add_instances(struct cli *c, const struct holdings *h, struct table *t, struct err *e)
{
	static const char *const headings[] = { "CONTAINER ID", "IMAGE",  "LOCAL VOLUMES", "SIZE",
						"CREATED",	"STATUS", "NAMES",	   NULL };

	table_start(t, headings);
	for (size_t i = 0; i < h->n_instances; i++) {
		const struct instance_spec *s = &h->instances[i].spec;
		struct buf b = { 0 };
		size_t volumes = 0;

		for (size_t k = 0; k < s->n_mounts; k++)
			volumes += s->mounts[k].type == MOUNT_VOLUME;
		text_add_short_id(&b, s->id);
		table_add_buf(t, &b);
		table_add(t, s->image);
		buf_addf(&b, "%zu", volumes);
		table_add_buf(t, &b);
		text_add_size(&b, engine_disk_bytes(c->engine, &h->instances[i]));
		table_add_buf(t, &b);
		text_add_ago(&b, clock_real_ns(), s->created_ns);
		table_add_buf(t, &b);
		table_add(t, status_names[h->instances[i].state.status]);
		table_add(t, s->name);
		buf_done(&b);
	}
	return 0;
}

static int add_volumes(struct cli *c, const struct holdings *h, struct table *t, struct err *e)
{
	static const char *const headings[] = { "VOLUME NAME", "LINKS", "SIZE", NULL };

	table_start(t, headings);
	for (size_t i = 0; i < h->n_volumes; i++) {
		AUTO(strv_done) struct strv users = { 0 };
		struct buf b = { 0 };
		int r = volume_users(c->engine, h->volumes[i].name, &users, e);

		if (r < 0)
			return r;
		table_add(t, h->volumes[i].name);
		buf_addf(&b, "%zu", users.n);
		table_add_buf(t, &b);
		text_add_size(&b, volume_bytes(c->engine, h->volumes[i].name));
		table_add_buf(t, &b);
		buf_done(&b);
	}
	return 0;
}

static int print_each(struct cli *c, const struct holdings *h, struct err *e)
{
	static const struct {
		const char *title;
		int (*add)(struct cli *c, const struct holdings *h, struct table *t, struct err *e);
	} parts[] = { { "Images", add_images },
		      { "Containers", add_instances },
		      { "Local Volumes", add_volumes } };
	AUTO(buf_done) struct buf out = { 0 };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(parts) && r == 0; i++) {
		struct table t = { 0 };

		r = parts[i].add(c, h, &t, e);
		buf_addf(&out, "%s%s space usage:\n\n", i ? "\n" : "", parts[i].title);
		if (r == 0 && table_print(&t, &out) < 0)
			r = err_set(e, ENOMEM, "out of memory");
		table_done(&t);
	}
	return r < 0 ? r : cli_print(&out, e);
}

static int df_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(holdings_done) struct holdings h = { 0 };
	const struct df_args *a = args;
	int r = cli_engine(c, e) ? 0 : -e->no;

	if (a->verbose && a->format)
		return err_set(e, EINVAL, "the verbose and the format options conflict");
	if (r == 0)
		r = collect(c, &h, e);
	if (r < 0)
		return r;
	return a->verbose ? print_each(c, &h, e) : print_sums(c, a, &h, e);
}

const struct command cmd_system_df = {
	.name = "system df",
	.usage = "",
	.summary = "Show what images, instances and volumes take on the disk",
	.text = "VM Images are what is made of images for virtual machines; system prune removes those that "
		"no instance uses, and the next machine makes them again.",
	.opts = df_opts,
	.args_size = sizeof(struct df_args),
	.run = df_run,
};

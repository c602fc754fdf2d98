/* images.c - ketch images: the images of the store */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/filters.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "oci/reference.h"

#define NO_NAME "<none>"

struct images_args {
	bool all, digests, quiet, no_trunc;
	struct strv filters;
	char *format;
};

static const struct opt images_opts[] = {
	OPT(FLAG, 'a', "all", struct images_args, all, NULL,
	    "Accepted and without effect: there are no intermediate images"),
	OPT(FLAG, 0, "digests", struct images_args, digests, NULL, "Print the digests of names, too"),
	FILTERS_OPT(struct images_args, filters),
	LISTING_FORMAT(struct images_args, format),
	OPT(FLAG, 0, "no-trunc", struct images_args, no_trunc, NULL, "Do not shorten ids"),
	OPT(FLAG, 'q', "quiet", struct images_args, quiet, NULL, "Print ids only"),
	OPT_REFUSE(0, "tree", "images have no parents"),
	{ 0 },
};

/* --- rows */

/* One name of one image, in Docker's words; owned. */
struct images_row {
	char *repository, *tag, *digest, *id, *created, *since, *size;
	const char
		*unknown; /* what takes a look at every instance and layer to know: as in Docker; borrowed */
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct images_row, unknown, "Containers"),
	JK(J_STR, struct images_row, created, "CreatedAt"),
	JK(J_STR, struct images_row, since, "CreatedSince"),
	JK(J_STR, struct images_row, digest, "Digest"),
	JK(J_STR, struct images_row, id, "ID"),
	JK(J_STR, struct images_row, repository, "Repository"),
	JK(J_STR, struct images_row, unknown, "SharedSize"),
	JK(J_STR, struct images_row, size, "Size"),
	JK(J_STR, struct images_row, tag, "Tag"),
	JK(J_STR, struct images_row, unknown, "UniqueSize"),
	JK(J_STR, struct images_row, size, "VirtualSize"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct images_row), row_fields };

static const struct column columns[] = {
	{ "CreatedAt", "CREATED AT" }, { "CreatedSince", "CREATED" }, { "ID", "IMAGE ID" }, { 0 }
};

#define FORM(digest_)                                                                                        \
	{                                                                                                    \
		.row = &row_table, .columns = columns, .quiet = "{{.ID}}",                                   \
		.table =                                                                                     \
			"table {{.Repository}}\t{{.Tag}}\t" digest_ "{{.ID}}\t{{.CreatedSince}}\t{{.Size}}", \
	}
static const struct listing_form images_form = FORM(""), digests_form = FORM("{{.Digest}}\t");

static void row_done(struct images_row *row)
{
	/* two columns can be one member, so not by the table */
	free(row->repository);
	free(row->tag);
	free(row->digest);
	free(row->id);
	free(row->created);
	free(row->since);
	free(row->size);
}

/* The digest under which a registry has it by that name; NULL: none. */
static const char *find_digest(const struct image *im, const char *name)
{
	size_t n = strlen(name);

	for (size_t i = 0; i < im->digests.n; i++)
		if (!strncmp(im->digests.v[i], name, n) && im->digests.v[i][n] == '@')
			return im->digests.v[i] + n + 1;
	return NULL;
}

static int take_name(const struct image *im, const char *ref, struct images_row *row)
{
	AUTO(reference_done) struct reference name = { 0 };
	const char *digest;
	struct err e;

	if (ref && reference_parse(ref, &name, &e) < 0)
		return -e.no;
	digest = ref ? find_digest(im, name.name) : NULL;
	row->repository = strdup(ref ? name.name : NO_NAME);
	row->tag = strdup(name.tag ? name.tag : NO_NAME);
	row->digest = strdup(digest ? digest : NO_NAME);
	return row->repository && row->tag && row->digest ? 0 : -ENOMEM;
}

static int make_row(const struct image *im, const char *ref, bool no_trunc, struct images_row *row)
{
	struct buf id = { 0 }, created = { 0 }, since = { 0 }, size = { 0 };
	int r = take_name(im, ref, row);

	if (no_trunc)
		buf_adds(&id, im->id);
	else
		text_add_short_id(&id, im->id);
	text_add_local_time(&created, im->created_ns);
	text_add_ago(&since, clock_real_ns(), im->created_ns);
	text_add_size(&size, im->size_bytes);
	row->id = buf_take(&id);
	row->created = buf_take(&created);
	row->since = buf_take(&since);
	row->size = buf_take(&size);
	row->unknown = "N/A";
	return r < 0 || (row->id && row->created && row->since && row->size) ? r : -ENOMEM;
}

/* --- filters */

struct images_context {
	struct image_store *store;
	const struct images_args *args;
	int64_t before_ns, since_ns;
};

static bool fits_dangling(const void *obj, const char *value, void *arg)
{
	bool yes = !strcmp(value, "true") || !strcmp(value, "1");
	const struct image *im = obj;

	return yes == !(im->refs.n || im->digests.n);
}

static bool fits_label(const void *obj, const char *value, void *arg)
{
	return filter_label(&((const struct image *)obj)->config.config.labels, value);
}

static bool fits_before(const void *obj, const char *value, void *arg)
{
	return ((const struct image *)obj)->created_ns < ((struct images_context *)arg)->before_ns;
}

static bool fits_since(const void *obj, const char *value, void *arg)
{
	return ((const struct image *)obj)->created_ns > ((struct images_context *)arg)->since_ns;
}

/* Docker's: the pattern is for the name, or for name and tag. */
static bool ref_fits(const char *ref, const char *pattern)
{
	AUTO(reference_done) struct reference name = { 0 };
	struct err e;

	return filter_glob(ref, pattern) ||
	       (reference_parse(ref, &name, &e) == 0 && filter_glob(name.name, pattern));
}

static bool fits_reference(const void *obj, const char *value, void *arg)
{
	const struct image *im = obj;

	for (size_t i = 0; i < im->refs.n; i++)
		if (ref_fits(im->refs.v[i], value))
			return true;
	return false;
}

static const struct filter_kind image_filters[] = {
	{ .key = "before", .fits = fits_before },
	{ .key = "dangling", .choices = "true|false|1|0", .fits = fits_dangling },
	{ .key = "label", .every = true, .fits = fits_label },
	{ .key = "reference", .fits = fits_reference },
	{ .key = "since", .fits = fits_since },
	{ 0 },
};

static int find_created(struct image_store *s, const char *ref, int64_t *ret_ns, struct err *e)
{
	AUTO(image_done) struct image im = { 0 };
	int r = image_find(s, ref, &im, e);

	if (r == 0)
		*ret_ns = im.created_ns;
	return r;
}

static int init_context(struct images_context *x, struct err *e)
{
	const struct strv *given = &x->args->filters;
	int r = filters_check(image_filters, given, e);

	for (size_t i = 0; i < given->n && r == 0; i++) {
		if (!strncmp(given->v[i], "before=", 7))
			r = find_created(x->store, given->v[i] + 7, &x->before_ns, e);
		else if (!strncmp(given->v[i], "since=", 6))
			r = find_created(x->store, given->v[i] + 6, &x->since_ns, e);
	}
	return r;
}

/* Of an image that fits, only the names that are asked for. */
static bool wants_ref(const struct images_args *a, const char *ref)
{
	bool any = false;

	for (size_t i = 0; i < a->filters.n; i++) {
		if (strncmp(a->filters.v[i], "reference=", 10))
			continue;
		if (ref_fits(ref, a->filters.v[i] + 10))
			return true;
		any = true;
	}
	return !any;
}

/* --- the list */

static int add_line(struct listing *l, const struct image *im, const char *ref, const struct images_args *a,
		    struct err *e)
{
	AUTO(row_done) struct images_row row = { 0 };

	if (make_row(im, ref, a->no_trunc, &row) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return listing_add(l, &row, e);
}

static int add_image(struct listing *l, const struct image *im, const struct images_args *a, struct err *e)
{
	int r = 0;

	if (!im->refs.n || a->quiet)
		return add_line(l, im,
				im->refs.n	? im->refs.v[0]
				: im->digests.n ? im->digests.v[0]
						: NULL,
				a, e);
	for (size_t i = 0; i < im->refs.n && r == 0; i++)
		if (wants_ref(a, im->refs.v[i]))
			r = add_line(l, im, im->refs.v[i], a, e);
	return r;
}

static int list(struct images_context *x, struct listing *l, struct err *e)
{
	struct image *im = NULL;
	size_t n = 0;
	int r = image_list(x->store, &im, &n, e);

	for (size_t i = 0; i < n; i++) {
		if (r == 0 && filters_fit(image_filters, &x->args->filters, &im[i], x))
			r = add_image(l, &im[i], x->args, e);
		image_done(&im[i]);
	}
	free(im);
	return r < 0 ? r : listing_print(l, e);
}

static int images_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	struct images_args *a = args;
	struct images_context x = { .args = a };
	int r = listing_begin(&l, a->digests ? &digests_form : &images_form, a->format, a->quiet, e);

	if (r == 0 && words->n && strv_addf(&a->filters, "reference=%s", words->v[0]) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	if (r < 0)
		return r;
	x.store = cli_images(c, e);
	r = x.store ? init_context(&x, e) : -e->no;
	return r < 0 ? r : list(&x, &l, e);
}

const struct command cmd_images = {
	.name = "images",
	.usage = "[NAME[:TAG]]",
	.summary = "List images",
	.text = "NAME may be a pattern with * and ?.\n\n"
		"Keys of --filter: before=IMAGE, dangling=true|false, label=KEY[=VALUE], reference=PATTERN, "
		"since=IMAGE.  Values of one key are alternatives, keys add up.\n\n"
		"Fields of --format: .ID .Repository .Tag .Digest .CreatedSince .CreatedAt .Size",
	.opts = images_opts,
	.args_size = sizeof(struct images_args),
	.max_words = 1,
	.words = WORDS_IMAGE,
	.run = images_run,
};

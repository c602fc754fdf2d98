/* prune_images.c - what of the image store nobody uses goes: images, roots made of them, broken downloads */
#include <errno.h>
#include <stdlib.h>

#include "base/auto.h"
#include "cli/prune_int.h"
#include "engine/packed.h"
#include "engine/warm.h"

/* "Untagged: x" -> "untagged: x", as Docker has it here. */
static int note_lines(struct pruned *p, struct strv *lines, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < lines->n && r == 0; i++) {
		lines->v[i][0] = (char)(lines->v[i][0] | 0x20);
		r = pruned_note(p, lines->v[i], 0, e);
	}
	return r;
}

/* all: also those that have a name. */
static int prune_image(struct cli *c, const struct image *im, const struct prune_args *a, struct pruned *p,
		       struct err *e)
{
	AUTO(strv_done) struct strv lines = { 0 };
	uint64_t shared = 0;
	bool in_use;
	int r;

	if (((im->refs.n || im->digests.n) && !a->all) ||
	    !prune_fits(&a->filters, im->created_ns, &im->config.config.labels))
		return 0;
	r = warm_release_image(c->engine, im->id, &in_use, e);
	if (r < 0 || in_use)
		return r;
	r = image_shared_bytes(cli_images(c, e), im->id, &shared, e);
	if (r == 0)
		r = image_remove(cli_images(c, e), im->id, false, true, &lines, e);
	if (r == -ENOENT || r == -EBUSY) /* gone, or taken, meanwhile */
		return 0;
	if (r == 0)
		packed_forget_image(c->engine, im->id);
	if (r == 0)
		p->bytes += im->size_bytes > shared ? im->size_bytes - shared : 0;
	return r < 0 ? r : note_lines(p, &lines, e);
}

int prune_images(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e)
{
	struct image *list;
	size_t n;
	int r = image_list(cli_images(c, e), &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		if (r == 0)
			r = prune_image(c, &list[i], a, p, e);
		image_done(&list[i]);
	}
	free(list);
	return r;
}

int prune_roots(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e)
{
	struct image_store *s = cli_images(c, e);
	struct image *list;
	size_t n;
	int r = image_list(s, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n; i++) {
		uint64_t bytes = image_root_bytes(s, list[i].id);
		bool in_use = true;

		if (r == 0 && bytes)
			r = engine_image_in_use(c->engine, list[i].id, &in_use, e);
		if (r == 0 && !in_use) {
			r = image_root_remove(s, list[i].id, e);
			p->bytes += r == 0 ? bytes : 0;
		}
		image_done(&list[i]);
	}
	free(list);
	return r;
}

int prune_downloads(struct cli *c, const struct prune_args *a, struct pruned *p, struct err *e)
{
	return image_downloads_remove(cli_images(c, e), &p->bytes, e);
}

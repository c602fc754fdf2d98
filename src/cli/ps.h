/* ps.h - what ketch ps is made of: rows in Docker's words, and which instances are wanted */
#ifndef CLI_PS_H
#define CLI_PS_H

#include "cli/filters.h"
#include "cli/listing.h"
#include "engine/engine.h"

/* --- ps_row.c */

extern const struct listing_form ps_form, ps_form_with_size;

/* size: NULL: nobody asked. */
int ps_add_row(struct listing *l, const struct instance *in, bool no_trunc, const struct instance_size *size,
	       struct err *e);

/* --- ps_filters.c */

extern const struct filter_kind ps_filter_kinds[];

struct ps_filter_context {
	struct engine *engine;
	const struct strv *given;
	struct image *ancestors; /* in the order they are given; id NULL: no such image */
	size_t n_ancestors;
	int64_t before_ns, since_ns; /* of creation; 0: none given */
};

/* Checks the filters and looks up what they name. */
int ps_filters_init(struct ps_filter_context *ret, struct engine *en, const struct strv *given,
		    struct err *e);
bool ps_filters_fit(struct ps_filter_context *ctx, const struct instance *in);
void ps_filters_done(struct ps_filter_context *ctx);

#endif

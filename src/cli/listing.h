/* listing.h - lists as Docker prints them: a table, a template for each row, JSON lines, or ids
 *
 *	AUTO(listing_done) struct listing l;
 *	r = listing_begin(&l, &volume_form, args->format, args->quiet, e);
 *	for each: r = listing_add(&l, &row, e);
 *	return listing_print(&l, e);
 *
 * A row is any struct with a table (base/json.h); its keys are the fields of --format.  Strings may be foreign: what
 * could move a terminal's cursor becomes '?' here.  A member of type J_MAP is not shown, but can be asked:
 * {{.Label "key"}}.
 */
#ifndef CLI_LISTING_H
#define CLI_LISTING_H

#include <stdbool.h>

#include "base/json.h"
#include "base/json_tree.h"
#include "opts/opts.h"

/* The heading of a field; fields without one have their key in capitals. */
struct column {
	const char *key, *heading;
};

struct listing_form {
	const struct jtable *row;
	const struct column *columns; /* ends with { 0 } */
	const char *table; /* without --format: "table {{.ID}}\t{{.Name}}" */
	const char *quiet; /* with --quiet: "{{.ID}}" */
};

struct listing {
	const struct listing_form *form;
	struct format *format; /* NULL: JSON */
	bool is_table;
	struct buf out;
};

/* The --format of a list. */
#define LISTING_FORMAT(struct_, member_)                                                                     \
	OPT(STR, 0, "format", struct_, member_, "json|table|TEMPLATE",                                       \
	    "json, table, \"table TEMPLATE\", or Go's templates")

/* format: NULL for the table; quiet goes before it, as Docker has it. */
int listing_begin(struct listing *ret, const struct listing_form *form, const char *format, bool quiet,
		  struct err *e);
int listing_add(struct listing *l, const void *row, struct err *e);
/* Writes all to stdout. */
int listing_print(struct listing *l, struct err *e);
void listing_done(struct listing *l);

/* Every string in v: what could move a terminal's cursor becomes '?'; -ENOMEM. */
int listing_make_harmless(struct json_value *v);

/* One object, without a table: JSON on one line for "json", else by the template. */
int listing_add_object(const char *format, const struct jtable *t, const void *obj, struct buf *out,
		       struct err *e);

#endif

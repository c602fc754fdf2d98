/* inspect.h - ketch inspect and its kin: an array of objects, or a template for each */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "cli/cli.h"

/* Appends the JSON object of what has this name; -ENOENT when there is nothing. */
typedef int (*inspect_fn)(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e);

/* Prints all names: an array, on one line for "json", or by a template; complains about each name that fails and returns
 * the status. */
int inspect_each(struct cli *c, const struct strv *names, const char *format, inspect_fn add, struct err *e);

/* inspect_view.c; size: NULL: it is left out. */
int inspect_add_instance(struct cli *c, const struct instance *in, const struct instance_size *size,
			 int json_flags, struct buf *out, struct err *e);
/* volume.c */
int volume_inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e);
/* network_list.c */
int network_inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e);
/* image_inspect.c */
int image_inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e);

/* The --format of such a command. */
#define INSPECT_FORMAT(struct_, member_)                                                                     \
	OPT(STR, 'f', "format", struct_, member_, "json|TEMPLATE",                                           \
	    "json on one line, or a Go template for each")
/* The arguments of one that has no others. */
struct inspect_format {
	char *format;
};
extern const struct opt inspect_format_opts[];

#endif

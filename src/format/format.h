/* format.h - Go's text/template over JSON values: what --format of Docker and Podman takes
 *
 * Known: text, {{.Field.Sub}}, {{$variable}}, pipelines, parentheses, literals, comments, trim markers; if, else if,
 * else, range, break, continue, with, end; define, template, block; the functions of functions.c.  Not known: call,
 * which needs values that are functions.
 *
 * Where values come from C structs in Go, they come from JSON here, which differs in this: a field that is not there is
 * an error unless its name begins with a small letter (then it is the key of a map, and no value), and an index that is
 * not there (of an object) is the empty string.  .NanoCPUs finds "NanoCpus", and at the top .Status "status", too.  A field
 * that is called, {{.Label "x"}}, is an object that is indexed.
 *
 * A template is foreign text, its limits are in format_int.h.
 */
#ifndef FORMAT_FORMAT_H
#define FORMAT_FORMAT_H

#include "base/json_tree.h"

struct format;

enum { FORMAT_ESCAPES = 1 /* \t and \n outside of actions are what they say: Docker's lists */ };

/* -EINVAL: "template parsing error: ...". */
int format_parse(const char *text, int flags, struct format **ret, struct err *e);
struct format *format_free(struct format *f);
/* Appends what the template makes of v. */
int format_run(const struct format *f, const struct json_value *v, struct buf *out, struct err *e);
/* The same with functions that leave the text as it is: v's members are the headings of columns. */
int format_run_headings(const struct format *f, const struct json_value *v, struct buf *out, struct err *e);

#endif

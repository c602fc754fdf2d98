/* log_details.h - what --log-opt has put beside the lines of a log: some labels, some variables, a tag; pure
 *
 * Docker's rules: what is not there is left out, a variable of a label's name takes its place.  Regular expressions are
 * POSIX's extended ones, and fit anywhere in a key.
 */
#ifndef INSTANCE_LOG_DETAILS_H
#define INSTANCE_LOG_DETAILS_H

#include "base/buf.h"
#include "instance/spec.h"

#define LOG_TAG_DEFAULT "{{.ID}}" /* of journald */

/* "KEY=VALUE" each, without the tag.  0 or -ENOMEM. */
int log_details(const struct instance_spec *s, struct strv *ret);
/* -EINVAL: it is no regular expression. */
int log_regex_check(const char *text);

/* A tag: text with {{.ID}}, {{.FullID}}, {{.Name}}, {{.ImageName}}, {{.ImageID}}, {{.ImageFullID}} or {{.DaemonName}} in
 * it.  -EINVAL, *ret_bad (borrowed) is the first thing that is none of these. */
int log_tag_check(const char *tag, const char **ret_bad);
/* Owned; what is none of these stays as it is.  NULL: out of memory. */
char *log_tag_expand(const struct instance_spec *s, const char *tag);

/* What Docker's `logs --details` puts before a line: "KEY=VALUE,KEY=VALUE", sorted and escaped as in a URL's query, with
 * the tag under its name; nothing where there is nothing. */
int log_details_print(const struct instance_spec *s, struct buf *ret);

#endif

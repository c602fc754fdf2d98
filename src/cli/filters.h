/* filters.h - --filter KEY=VALUE of lists, with Docker's rules: values of one key are alternatives, keys add up */
#ifndef CLI_FILTERS_H
#define CLI_FILTERS_H

#include <stdbool.h>

#include "base/err.h"
#include "base/strv.h"

struct filter_kind {
	const char *key;
	const char *choices; /* "a|b": no other value is taken; or NULL */
	bool every; /* all values of the key must fit, not one of them: labels */
	bool (*fits)(const void *obj, const char *value, void *arg);
	bool number; /* only a whole number, 0 or more, is taken */
};

/* kinds ends with { 0 }; given: what stands behind --filter.  -EINVAL: unknown key, no value, not a choice. */
int filters_check(const struct filter_kind *kinds, const struct strv *given, struct err *e);
/* Does obj fit what filters_check let through? */
bool filters_fit(const struct filter_kind *kinds, const struct strv *given, const void *obj, void *arg);
bool filters_have(const struct strv *given, const char *key);

/* For fits: "KEY" or "KEY=VALUE" in a list of "KEY=VALUE"; a regular expression, as Docker takes names. */
bool filter_label(const struct strv *labels, const char *wanted);
bool filter_name(const char *name, const char *pattern);
/* A pattern of shells, with * and ?, for the whole text: images. */
bool filter_glob(const char *text, const char *pattern);

/* The --filter of a list; the text of the command names the keys. */
#define FILTERS_OPT(struct_, member_)                                                                        \
	OPT(LIST, 'f', "filter", struct_, member_, "KEY=VALUE",                                              \
	    "Only those that fit; the keys are named above")

#endif

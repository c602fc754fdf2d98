/* toml.h - the part of TOML 1.0 that files of containers(5) use; pure
 *
 * Tables and arrays of tables, bare and quoted keys, strings on one line, booleans, whole numbers, arrays of strings.
 * Dotted keys, inline tables, dates, fractions and strings of several lines are refused with their line.
 */
#ifndef REGISTRY_TOML_H
#define REGISTRY_TOML_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"

#define TOML_MAX       (1 << 20) /* bytes of a file */
#define TOML_ITEMS_MAX 10000 /* keys of one table, strings of one array */

/* TOML_TABLE: a table begins, for TOML_STRING and those behind it `table` is the one they are in ("": before all). */
enum toml_type { TOML_TABLE, TOML_STRING, TOML_BOOL, TOML_WHOLE, TOML_LIST };

struct toml_item {
	const char *table; /* "registry.mirror" */
	enum toml_type type;
	bool element; /* TOML_TABLE: of an array */
	const char *key;
	const char *string;
	bool boolean;
	int64_t whole;
	const struct strv *list;
};

/* Gets each item in order; an error is a sentence without its place. */
typedef int (*toml_fn)(void *arg, const struct toml_item *it, struct err *e);

/* Reads text (n bytes) that came from `name`; an error begins with "NAME:LINE: ". */
int toml_parse(const char *name, const char *text, size_t n, toml_fn fn, void *arg, struct err *e);

#endif

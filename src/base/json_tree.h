/* json_tree.h - any JSON text as a tree of values, for those who do not know its keys before
 *
 * The rules of base/json.h hold, and an object that has a key twice is refused.  Strings are NUL-terminated.
 */
#ifndef BASE_JSON_TREE_H
#define BASE_JSON_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum json_kind { JSON_NULL, JSON_BOOL, JSON_WHOLE, JSON_REAL, JSON_STRING, JSON_ARRAY, JSON_OBJECT };

struct json_value {
	enum json_kind kind;
	bool negative; /* JSON_WHOLE; never of 0 */
	bool record; /* JSON_OBJECT that stands for a struct, not a map: for who prints it; never set by the parser */
	size_t n; /* items or members */
	union {
		bool boolean;
		uint64_t magnitude; /* JSON_WHOLE */
		double real;
		char *string;
		struct json_value *items;
		struct json_member *members;
	};
};

struct json_member {
	char *key;
	struct json_value value;
	bool hidden; /* not printed; of use to those who ask for it by name */
};

/* Parses n bytes into *ret, which json_tree_done frees; on failure *ret is null. */
int json_tree_parse(const char *text, size_t n, struct json_value *ret, struct err *e);
void json_tree_done(struct json_value *v);
/* On one line, members in the order of the text. */
void json_tree_print(const struct json_value *v, struct buf *out);
/* A member of an object; NULL: it is not there, or v is no object. */
struct json_member *json_tree_find(const struct json_value *v, const char *key);
/* How many digits make the shortest text that is this number again. */
int json_real_digits(double v);
/* That text. */
void json_add_real(struct buf *b, double v);

#endif

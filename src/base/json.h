/* json.h - JSON <-> C structs by tables: one table parses, prints, copies and frees
 *
 * A table names the members of a struct: key, type, offset.  The parser under it (json-c) is seen
 * nowhere else.  Rules for all input: depth <= 64, nothing behind the value, no NUL in strings, numbers
 * in range; a key given twice takes the last value.
 *
 *	static const struct jfield point_fields[] = {
 *		J(J_I64, struct point, x),
 *		JK(J_STR, struct point, label, "Label"),
 *		{ 0 },
 *	};
 *	static const struct jtable point_table = { sizeof(struct point), point_fields };
 *
 * Types: J_STR char * (owned, NULL = absent); J_BOOL bool; J_INT int; J_I64 int64_t; J_U64 uint64_t;
 * J_STRV struct strv <-> array of strings; J_MAP struct strv of "key=value" <-> object of strings;
 * J_KEYS struct strv <-> object whose values are {}
 * (OCI's sets); J_ENUM int <-> one of `names` (NULL-terminated); J_OBJ a struct inside; J_ARR pointer + count of structs.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum jtype { J_END, J_STR, J_BOOL, J_INT, J_I64, J_U64, J_STRV, J_MAP, J_KEYS, J_ENUM, J_OBJ, J_ARR };

/* A number for which "not given" and 0 differ. */
struct opt_i64 {
	bool set;
	int64_t v;
};

/* A list of numbers. */
struct i64v {
	int64_t *v;
	size_t n;
};

struct jfield {
	enum jtype type;
	const char *key;
	size_t off; /* of the member */
	const struct jtable *sub; /* J_OBJ, J_ARR */
	size_t n_off; /* J_ARR: of the size_t that counts */
	const char *const *names; /* J_ENUM */
};

struct jtable {
	size_t size; /* of the struct */
	const struct jfield *fields;
};

#define J(t, s, m)                                                                                           \
	{                                                                                                    \
		.type = (t), .key = #m, .off = offsetof(s, m)                                                \
	}
#define JK(t, s, m, k)                                                                                       \
	{                                                                                                    \
		.type = (t), .key = (k), .off = offsetof(s, m)                                               \
	}
#define JE(s, m, k, nm)                                                                                      \
	{                                                                                                    \
		.type = J_ENUM, .key = (k), .off = offsetof(s, m), .names = (nm)                             \
	}
#define JO(s, m, k, tab)                                                                                     \
	{                                                                                                    \
		.type = J_OBJ, .key = (k), .off = offsetof(s, m), .sub = (tab)                               \
	}
#define JA(s, m, n, k, tab)                                                                                  \
	{                                                                                                    \
		.type = J_ARR, .key = (k), .off = offsetof(s, m), .n_off = offsetof(s, n), .sub = (tab)      \
	}

enum {
	JSON_STRICT = 1, /* refuse keys that the table does not have */
	JSON_UNIQUE = 2, /* refuse an object, anywhere, that has a key twice */
};
enum { JSON_PRETTY = 1, JSON_ALL = 2 /* also members that are empty, false or 0 */ };

/* Parses text (n bytes) into *obj, whose members must hold defaults or zero: what the text does not name
 * stays.  On failure *obj is freed and zeroed. */
int json_parse(const struct jtable *t, const char *text, size_t n, int flags, void *obj, struct err *e);
/* Appends the object; members that are empty, false or 0 are left out unless JSON_ALL. */
int json_print(const struct jtable *t, const void *obj, int flags, struct buf *out);
/* The same for an array of n objects. */
int json_print_array(const struct jtable *t, const void *objs, size_t n, int flags, struct buf *out);
/* Parses a JSON array of objects into new memory: *ret (n objects, each of t->size). */
int json_parse_array(const struct jtable *t, const char *text, size_t n, int flags, void **ret, size_t *ret_n,
		     struct err *e);
/* Frees what the members own and zeroes the struct; not the struct itself. */
void json_done(const struct jtable *t, void *obj);
/* Deep copy into *ret (uninitialised memory of t->size). */
int json_copy(const struct jtable *t, const void *obj, void *ret);
/* Appends a quoted and escaped string. */
void json_add_str(struct buf *b, const char *s);

#endif

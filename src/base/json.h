/* json.h - JSON <-> C structs by tables: one table parses, prints, copies and frees
 *
 * A table names the members of a struct: key, type, offset.  Rules for all input: depth <= 64, nothing behind the
 * value, no NUL in strings, numbers in range; null is as if the member were not there; a key given twice takes the
 * last value.  An error begins with its place: "process.rlimits[0].hard: ...".
 *
 *	static const struct jfield point_fields[] = {
 *		J(J_I64, struct point, x),
 *		JK(J_STR, struct point, label, "Label"),
 *		{ 0 },
 *	};
 *	static const struct jtable point_table = { sizeof(struct point), point_fields };
 *
 * Types: J_STR char * (owned, NULL = absent); J_BOOL bool; J_INT int; J_I64 int64_t; J_U32 uint32_t; J_U64 uint64_t;
 * J_OPT_I64 struct opt_i64; J_I64V struct i64v <-> array of numbers;
 * J_STRV struct strv <-> array of strings; J_MAP struct strv of "key=value" <-> object of strings;
 * J_KEYS struct strv <-> object whose values are {} (OCI's sets); J_ENUM int <-> one of `names` (NULL-terminated);
 * J_RAW char * (owned): the text of any value but null, without blanks;
 * J_OBJ a struct inside (at offset 0: the same struct again, for objects that C has not); J_ARR pointer + count of
 * structs; J_OBJMAP the same <-> object of objects: the first member of the struct is a char *, the key, which is not
 * in its table.
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

enum jtype {
	J_END,
	J_STR,
	J_BOOL,
	J_INT,
	J_I64,
	J_U32,
	J_U64,
	J_OPT_I64,
	J_I64V,
	J_STRV,
	J_MAP,
	J_KEYS,
	J_ENUM,
	J_RAW,
	J_OBJ,
	J_ARR,
	J_OBJMAP,
};

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
	bool must; /* an object without it is refused */
	const char *key;
	size_t off; /* of the member */
	const struct jtable *sub; /* J_OBJ, J_ARR, J_OBJMAP */
	size_t n_off; /* J_ARR, J_OBJMAP: of the size_t that counts; J_OBJ: of a bool that tells it was there, or 0 */
	const char *const *names; /* J_ENUM */
};

struct jtable {
	size_t size; /* of the struct */
	const struct jfield *fields; /* at most 64 */
	bool closed; /* other keys are refused even without JSON_STRICT */
};

#define J(t, s, m)                                                                                           \
	{                                                                                                    \
		.type = (t), .key = #m, .off = offsetof(s, m)                                                \
	}
#define JK(t, s, m, k)                                                                                       \
	{                                                                                                    \
		.type = (t), .key = (k), .off = offsetof(s, m)                                               \
	}
/* a member that must be there */
#define JR(t, s, m, k)                                                                                       \
	{                                                                                                    \
		.type = (t), .key = (k), .off = offsetof(s, m), .must = true                                 \
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

/* J_OBJMAP */
#define JM(s, m, n, k, tab)                                                                                  \
	{                                                                                                    \
		.type = J_OBJMAP, .key = (k), .off = offsetof(s, m), .n_off = offsetof(s, n), .sub = (tab)   \
	}
/* JO, and a bool that tells it was there */
#define JH(s, m, has, k, tab)                                                                                \
	{                                                                                                    \
		.type = J_OBJ, .key = (k), .off = offsetof(s, m), .n_off = offsetof(s, has), .sub = (tab)    \
	}
/* an object whose members are in the same struct, and a bool that tells it was there */
#define JV(s, has, k, tab)                                                                                   \
	{                                                                                                    \
		.type = J_OBJ, .key = (k), .n_off = offsetof(s, has), .sub = (tab)                           \
	}
/* the same without the bool */
#define JP(k, tab)                                                                                           \
	{                                                                                                    \
		.type = J_OBJ, .key = (k), .sub = (tab)                                                      \
	}

enum {
	JSON_STRICT = 1, /* refuse keys that the table does not have */
	JSON_UNIQUE = 2, /* refuse an object, anywhere, that has a key twice */
	JSON_UTF8 = 4, /* refuse strings that are not UTF-8 (names of files need not be) */
};
enum { JSON_PRETTY = 1, JSON_ALL = 2 /* also members that are empty, false or 0; no object is null */ };

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

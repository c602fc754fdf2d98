/* json_int.h - JSON text, token by token: what base/json's parser is made of
 *
 * The text is read once, from left to right, and nothing is built from it.  Functions return 0 or a negative errno with
 * the reader's err filled; the message begins with the place in the text: "process.rlimits[0].hard: ...".
 */
#ifndef BASE_JSON_INT_H
#define BASE_JSON_INT_H

#include "base/json.h"
#include "base/strv.h"

/* Where the reader is: a list from the innermost member or index outwards, on the stacks of those who read. */
struct json_place {
	const struct json_place *up;
	const char *key; /* n bytes; NULL: index n of an array */
	size_t n;
};

/* A string of the text without its quotes, checked. */
struct json_str {
	const char *s;
	size_t n;
	bool escaped;
};

struct json_num {
	const char *s; /* its text, n bytes */
	size_t n;
	bool whole, negative, huge; /* huge: above UINT64_MAX */
	uint64_t magnitude;
};

struct json_key;

struct json_reader {
	const char *text, *p, *end;
	int flags; /* JSON_UNIQUE, JSON_UTF8, JSON_STRICT (for the callbacks) */
	int depth;
	const struct json_place *place;
	struct json_key *keys; /* of the objects that are open */
	size_t n_keys, cap_keys;
	struct err *e;
};

void json_reader_done(struct json_reader *rd);

/* "PLACE: message"; returns -no. */
int json_fail(const struct json_reader *rd, int no, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* The text is not JSON where the reader is. */
int json_fail_syntax(const struct json_reader *rd, const char *what);
/* The next value is not what is wanted ("a string"). */
int json_fail_type(struct json_reader *rd, const char *wanted);

/* The first character of the next token, or '\0' at the end of the text. */
char json_next(struct json_reader *rd);
/* Is the next value null?  Then it is read. */
bool json_read_null(struct json_reader *rd);
/* Each reads one value; one of another type is refused. */
int json_read_bool(struct json_reader *rd, bool *ret);
int json_read_string(struct json_reader *rd, struct json_str *ret);
int json_read_number(struct json_reader *rd, struct json_num *ret);
/* fn must read the value of the member, or of element i. */
int json_read_object(struct json_reader *rd,
		     int (*fn)(struct json_reader *rd, const struct json_str *key, void *data), void *data);
int json_read_array(struct json_reader *rd, int (*fn)(struct json_reader *rd, size_t i, void *data),
		    void *data);
/* Any value; checked as any other, and dropped. */
int json_skip(struct json_reader *rd);
/* Nothing may stand behind the outermost value. */
int json_read_end(struct json_reader *rd);

/* The next value in C's types (json_value.c); *ret is replaced, what it owned is freed. */
int json_get_u64(struct json_reader *rd, uint64_t max, uint64_t *ret);
int json_get_i64(struct json_reader *rd, int64_t min, int64_t max, int64_t *ret);
int json_get_i64v(struct json_reader *rd, struct i64v *ret);
int json_get_str(struct json_reader *rd, char **ret);
int json_get_enum(struct json_reader *rd, const char *const *names, int *ret);
int json_get_raw(struct json_reader *rd, char **ret);
int json_get_strv(struct json_reader *rd, enum jtype type, struct strv *ret); /* J_STRV, J_MAP, J_KEYS */

/* Frees n structs of a J_ARR or J_OBJMAP. */
void json_free_array(const struct jtable *t, enum jtype type, void *objs, size_t n);

/* The string itself, decoded, in new memory; NULL: out of memory. */
char *json_str_dup(const struct json_str *s);

#endif

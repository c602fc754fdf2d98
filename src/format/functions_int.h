/* functions_int.h - what the functions of templates share */
#ifndef FORMAT_FUNCTIONS_INT_H
#define FORMAT_FUNCTIONS_INT_H

#include "format/format_int.h"

typedef const struct json_value *const *args_t;

/* *ret is v; NULL: out of memory. */
int function_give(const struct json_value *v, const struct json_value **ret);
/* *ret is the string in b, which is emptied. */
int function_give_buf(struct run *r, struct buf *b, const struct json_value **ret);
/* The argument as what is wanted; another kind is refused. */
int function_want_string(struct run *r, const struct json_value *v, const char **ret);
int function_want_count(struct run *r, const struct json_value *v, size_t *ret);

/* fmt.Sprint: blanks where neither side is a string.  top: nothing is "<no value>", a string; else "<nil>". */
void function_sprint(struct buf *b, args_t args, size_t n, bool top);

int call_html(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_js(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_urlquery(struct run *r, args_t args, size_t n, const struct json_value **ret);

int call_upper(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_lower(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_title(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_join(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_split(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_pad(struct run *r, args_t args, size_t n, const struct json_value **ret);
int call_truncate(struct run *r, args_t args, size_t n, const struct json_value **ret);

#endif

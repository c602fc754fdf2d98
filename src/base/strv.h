/* strv.h - a list of strings, NULL-terminated so that it can be an argv
 *
 * Start from { 0 }; strv_done frees the strings.  Functions return 0 or -ENOMEM.
 */
#ifndef BASE_STRV_H
#define BASE_STRV_H

#include <stdbool.h>
#include <stddef.h>

struct strv {
	char **v; /* NULL, or n strings and a NULL; all owned */
	size_t n;
};

void strv_done(struct strv *s);
int strv_add(struct strv *s, const char *str); /* copies */
int strv_add_take(struct strv *s, char *str); /* owns str, freed even on failure; NULL is -ENOMEM */
int strv_addf(struct strv *s, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int strv_add_all(struct strv *s, const struct strv *from);
int strv_copy(struct strv *ret, const struct strv *from);
bool strv_has(const struct strv *s, const char *str);
/* "KEY=VALUE" lists: the value of key, or NULL (borrowed) ... */
const char *strv_env_get(const struct strv *s, const char *key);
/* ... and setting: replaces the entry of the same key (what stands before '='), else appends. */
int strv_env_set(struct strv *s, const char *assignment);
/* Removes the entry of this key, if there is one. */
void strv_env_unset(struct strv *s, const char *key);
/* Splits at any of the characters of `seps`; empty pieces are kept. */
int strv_split(struct strv *ret, const char *str, const char *seps);

#endif

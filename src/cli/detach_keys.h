/* detach_keys.h - the keys that part a terminal from its instance, and finding them among what is typed */
#ifndef CLI_DETACH_KEYS_H
#define CLI_DETACH_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

#define DETACH_KEYS_DEFAULT "ctrl-p,ctrl-q"
#define DETACH_KEYS_MAX	    16

struct detach_keys {
	char keys[DETACH_KEYS_MAX];
	size_t n; /* 0: nothing detaches */
	size_t held; /* how many of them were typed, and not passed on yet */
};

/* Docker's form: keys parted by commas, each one character, "ctrl-X" (a-z @ [ \ ] ^ _) or "DEL"; NULL: the default; "":
 * none. */
int detach_keys_parse(const char *text, struct detach_keys *ret, struct err *e);
/* Looks for the sequence in n bytes that were typed.  What may be passed on is put into out, which has room for
 * n + DETACH_KEYS_MAX.  true: the sequence is complete, and what came behind it is dropped. */
bool detach_keys_feed(struct detach_keys *k, const char *in, size_t n, char *out, size_t *ret_n);

#endif

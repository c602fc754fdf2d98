/* suggest.h - the word that was probably meant */
#ifndef OPTS_SUGGEST_H
#define OPTS_SUGGEST_H

#include <stddef.h>

struct suggest {
	const char *want; /* what was typed; borrowed */
	const char *best; /* nearest candidate so far; NULL: none is near; borrowed */
	size_t distance; /* of best */
};

/* Compares one candidate: edits (insert, remove, replace, swap of neighbours), or a beginning of the word. */
void suggest_try(struct suggest *s, const char *candidate);

#endif

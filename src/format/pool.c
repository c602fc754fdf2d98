/* pool.c - memory that is freed all at once */
#include <stdlib.h>
#include <string.h>

#include "format/format_int.h"

struct pool_block {
	struct pool_block *next;
	max_align_t data[];
};

void *pool_alloc(struct pool *p, size_t size)
{
	struct pool_block *b;

	if (size > MAX_POOL - p->used)
		return NULL;
	b = calloc(1, sizeof(*b) + size);
	if (!b)
		return NULL;
	p->used += size;
	b->next = p->blocks;
	p->blocks = b;
	return b->data;
}

char *pool_dup(struct pool *p, const char *s, size_t n)
{
	char *copy = pool_alloc(p, n + 1);

	if (copy && n)
		memcpy(copy, s, n);
	return copy;
}

void pool_done(struct pool *p)
{
	while (p->blocks) {
		struct pool_block *b = p->blocks;

		p->blocks = b->next;
		free(b);
	}
	p->used = 0;
}

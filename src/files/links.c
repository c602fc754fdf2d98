/* links.c - which file, of those with several names, was seen under which path first */
#include "files/links.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

struct links {
	void *root; /* of tsearch(3) */
};

struct seen {
	dev_t dev;
	ino_t ino;
	char path[];
};

static int compare(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	if (x->dev != y->dev)
		return x->dev < y->dev ? -1 : 1;
	return x->ino < y->ino ? -1 : x->ino > y->ino;
}

struct links *links_new(void)
{
	return calloc(1, sizeof(struct links));
}

struct links *links_free(struct links *l)
{
	if (l)
		tdestroy(l->root, free);
	free(l);
	return NULL;
}

const char *links_first(struct links *l, dev_t dev, ino_t ino, const char *path)
{
	size_t n = strlen(path) + 1;
	struct seen *s = malloc(sizeof(*s) + n), **slot;

	if (!s)
		return NULL;
	s->dev = dev;
	s->ino = ino;
	memcpy(s->path, path, n);
	slot = tsearch(s, &l->root, compare);
	if (!slot || *slot != s)
		free(s);
	return slot ? (*slot)->path : NULL;
}

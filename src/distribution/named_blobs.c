/* named_blobs.c - the blobs that a request names one by one */
#include "distribution/named_blobs.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"

static int parse(const char *word, struct descriptor *ret, struct err *e)
{
	const char *space = strchr(word, ' ');

	if (!space || parse_u64(space + 1, &ret->size) < 0)
		return err_set(e, EINVAL, "no blob is named");
	ret->digest = strndup(word, (size_t)(space - word));
	if (!ret->digest)
		return err_set(e, ENOMEM, "out of memory");
	return digest_parse(ret->digest, &ret->id) < 0 ? err_set(e, EINVAL, "no blob is named") : 0;
}

int named_blobs_parse(const struct strv *words, struct named_blobs *ret, struct err *e)
{
	struct named_blobs b = { .v = calloc(words->n + 1, sizeof(*b.v)),
				 .list = calloc(words->n + 1, sizeof(const struct descriptor *)) };
	int r = b.v && b.list ? 0 : err_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < words->n && r == 0; i++) {
		r = parse(words->v[i], &b.v[b.n], e);
		b.list[b.n] = &b.v[b.n];
		b.n++;
	}
	if (r < 0)
		named_blobs_done(&b);
	else
		*ret = b;
	return r;
}

void named_blobs_done(struct named_blobs *b)
{
	for (size_t i = 0; i < b->n; i++)
		free(b->v[i].digest);
	free(b->v);
	free(b->list);
	*b = (struct named_blobs){ 0 };
}

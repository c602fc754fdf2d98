/* change.c - one difference between an instance's files and its image */
#include "instance/change.h"

#include <errno.h>
#include <string.h>

int change_peek(const struct buf *in, struct change *ret)
{
	size_t n = in->len < CHANGE_RECORD_MAX ? in->len : CHANGE_RECORD_MAX;
	const char *end = n ? memchr(in->data, '\0', n) : NULL;

	if (!end)
		return in->len < CHANGE_RECORD_MAX ? 0 : -EPROTO;
	if (end - in->data < 3 || !strchr("ACD", in->data[0]) || in->data[1] != '/')
		return -EPROTO;
	*ret = (struct change){ in->data[0], in->data + 1 };
	return 1;
}

void change_drop(struct buf *in, const struct change *c)
{
	buf_drop(in, strlen(c->path) + 2);
}

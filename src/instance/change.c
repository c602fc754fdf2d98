/* change.c - one difference between an instance's files and its image */
#include "instance/change.h"

#include <errno.h>
#include <string.h>

/* 0: there is none. */
static int take_stamp(const char *text, uint64_t *ret)
{
	uint64_t v = 0;

	for (int i = 0; i < CHANGE_STAMP_LEN; i++) {
		static const char digits[] = "0123456789abcdef";
		const char *at = text[i] ? strchr(digits, text[i]) : NULL;

		if (!at)
			return 0;
		v = v << 4 | (uint64_t)(at - digits);
	}
	*ret = v;
	return CHANGE_STAMP_LEN;
}

int change_peek(const struct buf *in, struct change *ret)
{
	size_t n = in->len < CHANGE_RECORD_MAX ? in->len : CHANGE_RECORD_MAX;
	const char *end = n ? memchr(in->data, '\0', n) : NULL, *path;
	uint64_t stamp = 0;

	if (!end)
		return in->len < CHANGE_RECORD_MAX ? 0 : -EPROTO;
	if (end - in->data < 3 || !strchr("ACD", in->data[0]))
		return -EPROTO;
	path = in->data + 1;
	if (*path != '/')
		path += take_stamp(path, &stamp);
	if (path[0] != '/' || !path[1])
		return -EPROTO;
	*ret = (struct change){ in->data[0], path, stamp, (size_t)(end - in->data) + 1 };
	return 1;
}

void change_drop(struct buf *in, const struct change *c)
{
	buf_drop(in, c->bytes);
}

/* The end of a path comes before a slash, and that before all that stands in names. */
static int rank(char c)
{
	return !c ? 0 : c == '/' ? 1 : 2 + (unsigned char)c;
}

int change_compare_paths(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return rank(*a) - rank(*b);
}

/* fuzz_http_head.c - any bytes as the header of an answer, line by line: refused with a reason, or within the rules */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "distribution/http_int.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct http_call *c)
{
	const struct http_head *h = &c->head;

	if (h->length < -1 || h->bytes > HTTP_HEAD_MAX)
		abort();
	if (h->total > INT64_MAX || (h->total && h->from >= h->total))
		abort();
	for (size_t i = 0; i < h->challenges.n; i++)
		if (strpbrk(h->challenges.v[i], "\r\n"))
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_call c = { .head = { .length = -1 } };

	/* as libcurl gives them: each with its end */
	while (size && !c.refused) {
		const uint8_t *end = memchr(data, '\n', size);
		size_t n = end ? (size_t)(end - data) + 1 : size;
		autofree char *line = malloc(n);

		if (!line)
			break;
		memcpy(line, data, n); /* a read behind it is seen */
		if (http_on_header(line, 1, n, &c) != n && !c.refused)
			abort();
		if (!c.refused)
			check(&c);
		data += n;
		size -= n;
	}
	if (c.refused && !c.err.no)
		abort();
	http_head_done(&c.head);
	return 0;
}

/* fuzz_format.c - a template, a NUL, a JSON value: refused, or the same text twice; columns lose nothing but tabs */
#include <stdlib.h>
#include <string.h>

#include "format/columns.h"
#include "format/format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static size_t visible(const char *s, size_t n)
{
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		count += s[i] != '\t' && s[i] != ' ';
	return count;
}

static void check_columns(const struct buf *text)
{
	struct buf out = { 0 };

	columns_add(&out, text->data, text->len);
	if (visible(out.data, out.len) != visible(text->data, text->len))
		abort();
	buf_done(&out);
}

static void run_twice(const struct format *f, const struct json_value *v)
{
	struct buf first = { 0 }, second = { 0 };
	struct err e = { 0 };
	int r = format_run(f, v, &first, &e), again = format_run(f, v, &second, &e);

	if (r != again || first.len != second.len ||
	    (first.len && memcmp(first.data, second.data, first.len)))
		abort();
	if (r < 0 && (first.len || !*e.msg))
		abort();
	check_columns(&first);
	format_run_headings(f, v, &first, &e);
	buf_done(&first);
	buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char small[] = "{\"a\":\"x\",\"b\":[1,2.5,{\"c\":null}],\"l\":{\"k\":true}}";
	const uint8_t *end = size ? memchr(data, 0, size) : NULL;
	size_t n = end ? (size_t)(end - data) : size;
	const char *json = end ? (const char *)end + 1 : small;
	size_t json_n = end ? size - n - 1 : sizeof(small) - 1;
	char *text = strndup((const char *)data, n);
	struct json_value v = { 0 };
	struct format *f;
	struct err e = { 0 };

	if (text && json_tree_parse(json, json_n, &v, &e) == 0) {
		if (format_parse(text, (int)(n & FORMAT_ESCAPES), &f, &e) == 0) {
			run_twice(f, &v);
			format_free(f);
		} else if (strncmp(e.msg, "template parsing error: ", 24) != 0) {
			abort();
		}
		json_tree_done(&v);
	}
	free(text);
	return 0;
}

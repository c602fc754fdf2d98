/* functions_escape.c - Go's html, js and urlquery: the text of their arguments, escaped for another language
 *
 * js takes all characters beyond ASCII to be printable, as %q of printf does.
 */
#include <string.h>

#include "format/functions_int.h"

/* Adds one byte that is not NUL. */
typedef void (*escape_byte)(struct buf *out, char c);

static int escape(struct run *r, args_t args, size_t n, escape_byte add, const struct json_value **ret)
{
	struct buf plain = { 0 }, out = { 0 };

	function_sprint(&plain, args, n, true);
	for (size_t i = 0; i < plain.len && out.len <= MAX_OUTPUT; i++)
		add(&out, plain.data[i]);
	out.failed |= plain.failed;
	buf_done(&plain);
	return function_give_buf(r, &out, ret);
}

static void add_html(struct buf *out, char c)
{
	static const char special[] = "'\"&<>";
	static const char *const words[] = { "&#39;", "&#34;", "&amp;", "&lt;", "&gt;" };
	const char *at = strchr(special, c);

	if (at)
		buf_adds(out, words[at - special]);
	else
		buf_addc(out, c);
}

static void add_js(struct buf *out, char c)
{
	if (strchr("\\'\"", c))
		buf_addf(out, "\\%c", c);
	else if (strchr("<>&=", c) || (unsigned char)c < ' ')
		buf_addf(out, "\\u%04X", (unsigned char)c);
	else
		buf_addc(out, c);
}

static void add_query(struct buf *out, char c)
{
	buf_add_query(out, &c, 1);
}

int call_html(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	return escape(r, args, n, add_html, ret);
}

int call_js(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	return escape(r, args, n, add_js, ret);
}

int call_urlquery(struct run *r, args_t args, size_t n, const struct json_value **ret)
{
	return escape(r, args, n, add_query, ret);
}

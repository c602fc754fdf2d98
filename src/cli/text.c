/* text.c - foreign text, sizes and times as a terminal may see them */
#include "cli/text.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"

#define GAP	  3
#define MIN_WIDTH 10

/* One character of UTF-8 (RFC 3629: shortest form, no surrogates): its length, or 0. */
static size_t decode(const unsigned char *s, uint32_t *ret)
{
	static const uint32_t least[5] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t n = s[0] < 0x80 ? 1 : s[0] >> 5 == 6 ? 2 : s[0] >> 4 == 14 ? 3 : s[0] >> 3 == 30 ? 4 : 0;
	uint32_t c = n == 1 ? s[0] : s[0] & (0x7fU >> n);

	for (size_t i = 1; i < n; i++) {
		if (s[i] >> 6 != 2)
			return 0;
		c = c << 6 | (s[i] & 0x3f);
	}
	if (!n || c < least[n] || c > 0x10ffff || (c >= 0xd800 && c < 0xe000))
		return 0;
	*ret = c;
	return n;
}

static bool is_unsafe(uint32_t c)
{
	static const uint32_t ranges[][2] = {
		{ 0, 0x1f },	    { 0x7f, 0x9f },	{ 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x206f }, { 0xfeff, 0xfeff },
	};

	for (size_t i = 0; i < ARRAY_LEN(ranges); i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

size_t text_add(struct buf *b, const char *s)
{
	size_t count = 0;

	while (*s) {
		uint32_t c = 0;
		size_t n = decode((const unsigned char *)s, &c);

		if (!n || is_unsafe(c))
			buf_addc(b, '?');
		else
			buf_add(b, s, n);
		s += n ? n : 1;
		count++;
	}
	return count;
}

/* Bytes of the first max characters of safe text. */
static size_t bytes_of(const char *s, size_t max)
{
	const char *p = s;

	while (*p && max) {
		p++;
		while (((unsigned char)*p & 0xc0) == 0x80)
			p++;
		max--;
	}
	return (size_t)(p - s);
}

void text_add_cut(struct buf *b, const char *s, size_t max)
{
	AUTO(buf_done) struct buf whole = { 0 };

	if (text_add(&whole, s) <= max || !whole.data) {
		buf_add(b, whole.data, whole.len);
		return;
	}
	buf_add(b, whole.data, bytes_of(whole.data, max - 1));
	buf_adds(b, "…");
}

/* How much of text stands on one line. */
static size_t line_length(const char *text, size_t width)
{
	size_t end = strcspn(text, "\n"), n = width;

	if (end <= width)
		return end;
	while (n && text[n] != ' ')
		n--;
	return n ? n : width;
}

void text_add_wrapped(struct buf *b, const char *text, size_t width)
{
	while (*text) {
		size_t n = line_length(text, width), shown = n;

		while (shown && text[shown - 1] == ' ')
			shown--;
		buf_add(b, text, shown);
		buf_addc(b, '\n');
		text += n;
		if (*text == '\n')
			text++;
		else /* two are between sentences */
			text += strspn(text, " ");
	}
}

void text_add_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "B", "kB", "MB", "GB", "TB", "PB", "EB" };
	double v = (double)bytes;
	size_t i = 0;

	for (; v >= 999.5 && i + 1 < ARRAY_LEN(units); i++)
		v /= 1000;
	buf_addf(b, "%.3g%s", v, units[i]);
}

void text_add_ago(struct buf *b, int64_t now_ns, int64_t then_ns)
{
	char words[64];

	duration_words(now_ns - then_ns, words, sizeof(words));
	buf_addf(b, "%s ago", words);
}

void text_add_time(struct buf *b, int64_t ns)
{
	char text[RFC3339_LEN];

	if (!ns) {
		buf_adds(b, "0001-01-01T00:00:00Z");
		return;
	}
	rfc3339_format(ns, text);
	buf_adds(b, text);
}

void text_add_local_time(struct buf *b, int64_t ns)
{
	time_t s = (time_t)(ns / NS_PER_S);
	struct tm tm;
	char text[64];

	if (localtime_r(&s, &tm) && strftime(text, sizeof(text), "%Y-%m-%d %H:%M:%S %z %Z", &tm))
		buf_adds(b, text);
}

void text_add_short_id(struct buf *b, const char *id)
{
	if (!strncmp(id, "sha256:", 7))
		id += 7;
	buf_add(b, id, strnlen(id, 12));
}

/* --- tables */

void table_start(struct table *t, const char *const *headings)
{
	*t = (struct table){ 0 };
	for (; headings[t->columns]; t->columns++)
		table_add(t, headings[t->columns]);
}

void table_add(struct table *t, const char *text)
{
	text_add(&t->cells, text);
	buf_addc(&t->cells, '\0');
}

void table_add_buf(struct table *t, struct buf *b)
{
	if (b->failed)
		t->cells.failed = true;
	table_add(t, b->data ? b->data : "");
	buf_done(b);
}

static size_t characters(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

static size_t column_width(const struct table *t, size_t column)
{
	size_t width = MIN_WIDTH - GAP, i = 0;

	for (const char *cell = t->cells.data; cell < t->cells.data + t->cells.len;
	     cell += strlen(cell) + 1, i++)
		if (i % t->columns == column && characters(cell) > width)
			width = characters(cell);
	return width + GAP;
}

int table_print(const struct table *t, struct buf *out)
{
	size_t widths[16], i = 0;
	const char *cell;

	if (!buf_ok(&t->cells) || t->columns > ARRAY_LEN(widths))
		return -ENOMEM;
	for (size_t c = 0; c < t->columns; c++)
		widths[c] = column_width(t, c);
	for (cell = t->cells.data; cell < t->cells.data + t->cells.len; cell += strlen(cell) + 1, i++) {
		size_t c = i % t->columns;
		bool last = c + 1 == t->columns;
		size_t pad = last ? 0 : widths[c] - characters(cell);

		buf_addf(out, "%s%*s%s", cell, (int)pad, "", last ? "\n" : "");
	}
	return buf_ok(out) ? 0 : -ENOMEM;
}

void table_done(struct table *t)
{
	buf_done(&t->cells);
}

/* lines.h - a text line by line, for the parsers of this room */
#ifndef PACKAGES_LINES_H
#define PACKAGES_LINES_H

#include <string.h>

#include "packages/package.h"

struct lines {
	const char *at, *end;
};

/* The next line without its end ("\n" or "\r\n"); false: there is none. */
static inline bool lines_next(struct lines *l, struct package_word *ret)
{
	const char *end;

	if (l->at == l->end)
		return false;
	end = memchr(l->at, '\n', (size_t)(l->end - l->at));
	*ret = (struct package_word){ l->at, (size_t)((end ? end : l->end) - l->at) };
	l->at = end ? end + 1 : l->end;
	if (ret->n && ret->text[ret->n - 1] == '\r')
		ret->n--;
	return true;
}

static inline bool word_is(struct package_word w, const char *s)
{
	return w.n == strlen(s) && !memcmp(w.text, s, w.n);
}

static inline bool word_begins(struct package_word w, const char *s)
{
	return w.n >= strlen(s) && !memcmp(w.text, s, strlen(s));
}

/* Without blanks in front and behind. */
static inline struct package_word word_trim(struct package_word w)
{
	while (w.n && (*w.text == ' ' || *w.text == '\t')) {
		w.text++;
		w.n--;
	}
	while (w.n && (w.text[w.n - 1] == ' ' || w.text[w.n - 1] == '\t'))
		w.n--;
	return w;
}

/* The n bytes before the first of `stops`, or all. */
static inline struct package_word word_until(struct package_word w, const char *stops)
{
	size_t i = 0;

	while (i < w.n && !(w.text[i] && strchr(stops, w.text[i])))
		i++;
	w.n = i;
	return w;
}

/* What is behind the first n bytes. */
static inline struct package_word word_after(struct package_word w, size_t n)
{
	return n < w.n ? (struct package_word){ w.text + n, w.n - n }
		       : (struct package_word){ w.text + w.n, 0 };
}

/* "KEY VALUE" with the key in front: the value, trimmed; false: another key. */
static inline bool line_value(struct package_word line, const char *key, struct package_word *ret)
{
	if (!word_begins(line, key))
		return false;
	*ret = word_trim(word_after(line, strlen(key)));
	return true;
}

#endif

/* columns.c - lines with tabs become columns
 *
 * A column is a run of neighbouring lines that have a cell there which a tab ends (text/tabwriter, "elastic
 * tabstops"): a line without one ends it, and the next one begins with a width of its own.
 */
#include "format/columns.h"

#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define GAP	  3
#define MIN_WIDTH 10

struct cell {
	const char *s;
	size_t n;
	size_t width; /* with the padding; 0: the last of its line, or not known yet */
	bool last;
};

struct line {
	struct cell *cells;
	size_t n;
};

struct grid {
	struct line *lines;
	struct cell *cells;
	size_t n_lines;
};

static void grid_done(struct grid *g)
{
	free(g->lines);
	free(g->cells);
}

static size_t count(const char *s, size_t n, const char *set)
{
	size_t found = 0;

	for (size_t i = 0; i < n; i++)
		found += s[i] && strchr(set, s[i]);
	return found;
}

static int split(struct grid *g, const char *text, size_t n)
{
	struct cell *cell;
	const char *s = text;

	g->lines = calloc(count(text, n, "\n") + 1, sizeof(*g->lines));
	g->cells = cell = calloc(count(text, n, "\t\n") + 1, sizeof(*g->cells));
	if (!g->lines || !cell)
		return -1;
	g->lines[0].cells = cell;
	for (size_t i = 0; i <= n; i++) {
		bool ends_line = i == n || text[i] == '\n';

		if (!ends_line && text[i] != '\t')
			continue;
		*cell = (struct cell){ .s = s, .n = (size_t)(text + i - s), .last = ends_line };
		cell++;
		g->lines[g->n_lines].n++;
		s = text + i + 1;
		if (ends_line && i < n)
			g->lines[++g->n_lines].cells = cell;
	}
	g->n_lines++;
	return 0;
}

static size_t characters(const struct cell *c)
{
	size_t n = 0;

	for (size_t i = 0; i < c->n; i++)
		n += ((unsigned char)c->s[i] & 0xc0) != 0x80;
	return n;
}

static bool is_in_column(const struct line *l, size_t column)
{
	return column < l->n && !l->cells[column].last;
}

/* The column that begins with this line. */
static void set_widths(struct grid *g, size_t first, size_t column)
{
	size_t width = MIN_WIDTH, end = first;

	for (; end < g->n_lines && is_in_column(&g->lines[end], column); end++)
		if (characters(&g->lines[end].cells[column]) + GAP > width)
			width = characters(&g->lines[end].cells[column]) + GAP;
	for (size_t i = first; i < end; i++)
		g->lines[i].cells[column].width = width;
}

static void add_line(struct buf *out, struct grid *g, size_t line)
{
	const struct line *l = &g->lines[line];

	for (size_t c = 0; c < l->n; c++) {
		if (!l->cells[c].last && !l->cells[c].width)
			set_widths(g, line, c);
		buf_add(out, l->cells[c].s, l->cells[c].n);
		if (!l->cells[c].last)
			buf_addf(out, "%*s", (int)(l->cells[c].width - characters(&l->cells[c])), "");
	}
}

void columns_add(struct buf *out, const char *text, size_t n)
{
	AUTO(grid_done) struct grid g = { 0 };

	if (n && split(&g, text, n) < 0) {
		out->failed = true;
		return;
	}
	for (size_t i = 0; i < g.n_lines; i++) {
		add_line(out, &g, i);
		buf_adds(out, i + 1 < g.n_lines ? "\n" : "");
	}
}

/* suggest.c - the word that was probably meant */
#include "opts/suggest.h"

#include <string.h>

#define LONGEST 32 /* longer words get no hint */

static size_t least(size_t a, size_t b)
{
	return a < b ? a : b;
}

/* Edit distance by Wagner and Fischer with swaps of neighbours, over three rows. */
static size_t distance(const char *a, size_t n, const char *b, size_t m)
{
	size_t rows[3][LONGEST + 1], *before = rows[0], *above = rows[1], *row = rows[2];

	for (size_t j = 0; j <= m; j++)
		above[j] = j;
	for (size_t i = 1; i <= n; i++) {
		size_t *next = before;

		row[0] = i;
		for (size_t j = 1; j <= m; j++) {
			row[j] =
				least(above[j - 1] + (a[i - 1] != b[j - 1]), least(above[j], row[j - 1]) + 1);
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
				row[j] = least(row[j], before[j - 2] + 1);
		}
		before = above;
		above = row;
		row = next;
	}
	return above[m];
}

void suggest_try(struct suggest *s, const char *candidate)
{
	size_t n = strlen(s->want), m = strlen(candidate), d;

	if (!n || n > LONGEST || m > LONGEST)
		return;
	d = n >= 2 && !strncmp(s->want, candidate, n) ? 1 : distance(s->want, n, candidate, m);
	/* "sp" may be meant to be "ps", but not every two letters are */
	if (d > 1 + n / 4 || d >= n || (s->best && d >= s->distance))
		return;
	s->best = candidate;
	s->distance = d;
}

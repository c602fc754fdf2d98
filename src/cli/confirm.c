/* confirm.c - asking before much is removed, and the report after it, in Docker's words */
#include "cli/confirm.h"

#include <stdio.h>
#include <string.h>

#include "cli/text.h"

/* Whoever says nothing has said no; what is printed next begins a line all the same. */
bool cli_confirm(const char *warning)
{
	char answer[8] = "";

	printf("%s\nAre you sure you want to continue? [y/N] ", warning);
	fflush(stdout);
	if (!fgets(answer, sizeof(answer), stdin) || !strchr(answer, '\n'))
		printf("\n");
	fflush(stdout);
	return answer[0] == 'y' || answer[0] == 'Y';
}

void cli_add_deleted(struct buf *out, const char *heading, const struct strv *names)
{
	if (!names->n)
		return;
	buf_addf(out, "%s:\n", heading);
	for (size_t i = 0; i < names->n; i++) {
		text_add(out, names->v[i]);
		buf_addc(out, '\n');
	}
	buf_addc(out, '\n');
}

void cli_add_reclaimed(struct buf *out, uint64_t bytes)
{
	buf_adds(out, "Total reclaimed space: ");
	text_add_size(out, bytes);
	buf_addc(out, '\n');
}

/* progress.c - what a user at a terminal sees of long jobs: a line for each step, a bar while one takes long */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/parse.h"
#include "cli/cli.h"

#define BAR_WIDTH 40
#define CLEAR	  "\r\033[K"

/* "45%" -> 45; -1: a line of words. */
static int percent_of(const char *line)
{
	size_t digits = strspn(line, "0123456789");
	char number[4] = "";
	uint32_t n;

	if (digits < 1 || digits > 3 || strcmp(line + digits, "%") != 0)
		return -1;
	memcpy(number, line, digits);
	return parse_u32(number, &n) == 0 && n <= 100 ? (int)n : -1;
}

static void draw_bar(int percent)
{
	static const char full[] = "########################################",
			  empty[] = "                                        ";
	int done = percent * BAR_WIDTH / 100;

	fprintf(stderr, CLEAR "[%.*s%.*s] %3d%%", done, full, BAR_WIDTH - done, empty, percent);
}

static void show(void *arg, const char *line)
{
	int percent = percent_of(line);
	struct err shown;

	err_set(&shown, 0, "%s", line); /* foreign names in it become printable */
	if (percent >= 0)
		draw_bar(percent);
	else if (*line)
		fprintf(stderr, CLEAR "%s\n", shown.msg);
	else
		fputs(CLEAR, stderr);
	fflush(stderr);
}

image_progress cli_progress(void)
{
	return isatty(STDERR_FILENO) ? show : NULL;
}

/* colour.c - whether there are colours, and which */
#include "cli/colour.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct colour_args {
	char *colour;
};

const struct opt colour_opts[] = {
	OPT(CHOICE, 0, "colour", struct colour_args, colour, "auto|always|never", "Colours"),
	{ 0 },
};

bool colour_is_on(const char *setting, int fd)
{
	const char *no = getenv("NO_COLOR"), *term = getenv("TERM");

	if ((no && *no) || (setting && !strcmp(setting, "never")))
		return false;
	if (setting && !strcmp(setting, "always"))
		return true;
	return term && strcmp(term, "dumb") != 0 && isatty(fd);
}

void colour_add(struct buf *b, bool on, enum colour c, const char *text)
{
	static const char *const starts[] = { "\033[32m", "\033[33m", "\033[31m" };

	buf_adds(b, on ? starts[c] : "");
	buf_adds(b, text);
	buf_adds(b, on ? "\033[0m" : "");
}

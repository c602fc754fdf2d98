/* log.c - lines for people, on stderr */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *name = "ketch";
static bool colour;

void log_set_name(const char *n)
{
	name = n;
}

void log_set_colour(bool on)
{
	colour = on;
}

static void line(const char *level, const char *fmt, va_list ap)
{
	char text[4096];

	vsnprintf(text, sizeof(text), fmt, ap);
	fprintf(stderr, colour ? "\033[1;31m%s:\033[0m %s%s\n" : "%s: %s%s\n", name, level, text);
}

void log_error(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("", fmt, ap);
	va_end(ap);
}

void log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	line("warning: ", fmt, ap);
	va_end(ap);
}

void log_debug(const char *room, const char *fmt, ...)
{
	const char *want = getenv("KETCH_DEBUG");
	va_list ap;

	if (!want || (strcmp(want, "1") && !strstr(want, room)))
		return;
	va_start(ap, fmt);
	line("debug: ", fmt, ap);
	va_end(ap);
}

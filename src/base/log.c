/* log.c - lines for people, on stderr */
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"

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

static bool is_wanted(const char *room)
{
	const char *want = getenv("KETCH_DEBUG");

	return want && (!strcmp(want, "1") || strstr(want, room));
}

void log_debug(const char *room, const char *fmt, ...)
{
	va_list ap;

	if (!is_wanted(room))
		return;
	va_start(ap, fmt);
	line("debug: ", fmt, ap);
	va_end(ap);
}

void log_debug_argv(const char *room, const char *what, const char *const argv[])
{
	AUTO(buf_done) struct buf words = { 0 };

	if (!is_wanted(room))
		return;
	for (; *argv; argv++)
		buf_addf(&words, " %s", *argv);
	log_debug(room, "%s:%s", what, buf_ok(&words) && words.data ? words.data : "");
}

/* err.c - one error: a class (errno) and a sentence for the user */
#include "base/err.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"

/* Messages quote foreign names: what could move the cursor or end the line does not get through. */
int err_set(struct err *e, int no, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -no;
	e->no = no;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	str_make_printable(e->msg);
	return -no;
}

/* "no such file or directory": as Go programs say it, whose words callers of an OCI runtime look for. */
static void add_reason(char *msg, size_t size, int no)
{
	const char *text = strerrordesc_np(no);
	size_t n = strlen(msg);

	if (text)
		snprintf(msg + n, size - n, ": %c%s", tolower((unsigned char)*text), text + 1);
	else
		snprintf(msg + n, size - n, ": error %d", no);
}

int err_sys(struct err *e, int no, const char *fmt, ...)
{
	va_list ap;

	if (!e)
		return -no;
	e->no = no;
	va_start(ap, fmt);
	vsnprintf(e->msg, sizeof(e->msg), fmt, ap);
	va_end(ap);
	add_reason(e->msg, sizeof(e->msg), no);
	str_make_printable(e->msg);
	return -no;
}

int err_wrap(struct err *e, int r, const char *fmt, ...)
{
	char context[240], whole[sizeof(e->msg) + sizeof(context) + 2];
	va_list ap;

	if (!e)
		return r;
	va_start(ap, fmt);
	vsnprintf(context, sizeof(context), fmt, ap);
	va_end(ap);
	str_make_printable(context);
	snprintf(whole, sizeof(whole), "%s: %s", context, e->msg);
	memcpy(e->msg, whole, sizeof(e->msg) - 1);
	e->msg[sizeof(e->msg) - 1] = '\0';
	return r;
}

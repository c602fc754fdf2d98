/* signals.c - what the calling process does about signals */
#include "sys/signals.h"

#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"

#define STATUS_MAX 16384

/* One file instead of a question for each of 64 signals. */
uint64_t signals_ignored(void)
{
	AUTO(buf_done) struct buf b = { 0 };
	const char *line;

	if (read_file(AT_FDCWD, "/proc/self/status", STATUS_MAX, &b) < 0 || !b.data)
		return UINT64_MAX;
	line = strstr(b.data, "\nSigIgn:\t");
	return line ? strtoull(line + 9, NULL, 16) : UINT64_MAX;
}

void signals_reset(uint64_t which)
{
	struct sigaction dfl = { .sa_handler = SIG_DFL };

	for (int i = 1; i < NSIG; i++)
		if (which >> (i - 1) & 1)
			sigaction(i, &dfl, NULL); /* fails for SIGKILL and SIGSTOP */
}

void signals_hold(void)
{
	sigset_t all;

	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, NULL);
}

bool signals_want_end(void)
{
	static const int ends[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };
	sigset_t pending;

	if (sigpending(&pending) < 0)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(ends); i++)
		if (sigismember(&pending, ends[i]) == 1)
			return true;
	return false;
}

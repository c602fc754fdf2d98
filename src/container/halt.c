/* halt.c - how an init system as process 1 is told to shut down */
#include "container/halt.h"

#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"

#define STATUS_MAX 65536

static uint64_t mask_of(const char *status, const char *name)
{
	const char *line = strstr(status, name);

	return line ? strtoull(line + strlen(name), NULL, 16) : 0;
}

static bool has(uint64_t mask, int signo)
{
	return mask >> (signo - 1) & 1;
}

int halt_choose(uint64_t caught, uint64_t blocked)
{
	if (has(caught, SIGPWR))
		return SIGPWR;
	if (has(caught, SIGINT))
		return SIGINT;
	return has(blocked, HALT_SIGNAL) ? HALT_SIGNAL : SIGPWR;
}

int halt_signal(pid_t pid)
{
	AUTO(buf_done) struct buf status = { 0 };
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/status", (int)pid);
	if (read_file(AT_FDCWD, path, STATUS_MAX, &status) < 0 || !status.data)
		return HALT_SIGNAL;
	return halt_choose(mask_of(status.data, "\nSigCgt:\t"), mask_of(status.data, "\nSigBlk:\t"));
}

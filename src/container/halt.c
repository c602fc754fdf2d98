/* halt.c - how an init system as process 1 is told to shut down */
#include "container/halt.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"

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

/* /dev/initctl before sysvinit 2.89 */
static const char *const fifos[] = { "run/initctl", "dev/initctl" };

/* initreq.h of sysvinit */
struct init_request {
	int32_t magic, cmd, runlevel, sleep_time;
	char data[368];
};
enum {
	INIT_MAGIC = 0x03091969,
	INIT_CMD_RUNLVL = 1,
	SLEEP_S = 3 /* from SIGTERM to SIGKILL; telinit's default */
};

/* The tree is foreign; a FIFO without a reader never waits. */
static int open_fifo(int root, const char *path)
{
	autoclose int found = open_in_root(root, path, O_PATH | O_CLOEXEC, 0);

	return found < 0 ? found : open_again(found, S_IFIFO, O_WRONLY | O_NONBLOCK);
}

int halt_by_fifo(pid_t pid)
{
	static const struct init_request request = { INIT_MAGIC, INIT_CMD_RUNLVL, '0', SLEEP_S, "" };
	char path[32];
	int r = -ENOENT;

	snprintf(path, sizeof(path), "/proc/%d/root", (int)pid);

	autoclose int root = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (root < 0)
		return -errno;
	for (size_t i = 0; i < sizeof(fifos) / sizeof(*fifos) && r < 0; i++) {
		autoclose int fd = open_fifo(root, fifos[i]);

		r = fd < 0 ? fd : write_full(fd, &request, sizeof(request));
	}
	return r;
}

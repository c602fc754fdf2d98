/* set_up.c - what ketch-monitor has before its loop turns: the boot document, its descriptors, socket and signals */
#include "monitor/set_up.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

#define MAX_BOOT (8 * 1024 * 1024)

static int read_boot(int fd, struct boot *ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_to_end(fd, MAX_BOOT, &b);

	close(fd);
	if (r < 0)
		return err_sys(e, -r, "boot document");
	return json_parse(&boot_table, b.data, b.len, JSON_STRICT, ret, e);
}

static int compare_fds(const void *a, const void *b)
{
	return ((const struct boot_fd *)a)->fd - ((const struct boot_fd *)b)->fd;
}

/* What the user's shell left open is not ours to keep: everything but stdio and the listed descriptors goes. */
static void close_strangers(struct boot *b)
{
	unsigned next = 3;

	qsort(b->fds, b->n_fds, sizeof(*b->fds), compare_fds);
	for (size_t i = 0; i < b->n_fds; i++) {
		unsigned fd = (unsigned)b->fds[i].fd;

		if (fd > next)
			close_range(next, fd - 1, 0);
		next = fd + 1;
	}
	close_range(next, ~0U, 0);
}

static int keep_descriptors(struct boot *b, struct err *e)
{
	close_strangers(b);
	for (size_t i = 0; i < b->n_fds; i++)
		if (fd_set_cloexec(b->fds[i].fd, true) < 0)
			return err_set(e, EBADF, "descriptor %s is missing", b->fds[i].name);
	return 0;
}

int set_up_boot(int fd, struct boot *ret, struct err *e)
{
	int r = read_boot(fd, ret, e);

	return r < 0 ? r : keep_descriptors(ret, e);
}

int set_up_listener(int run_fd, bool files_only)
{
	const char *name = files_only ? "files.sock" : "monitor.sock";
	struct sockaddr_un sa = { .sun_family = AF_UNIX };
	autoclose int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	/* the run directory's path may be long: an address of 108 bytes always holds this one */
	snprintf(sa.sun_path, sizeof(sa.sun_path), "/proc/self/fd/%d/%s", run_fd, name);
	if (fd < 0)
		return -1;
	unlinkat(run_fd, name, 0);
	if (bind(fd, (struct sockaddr *)&sa, sizeof(sa)) < 0 || fchmodat(run_fd, name, 0600, 0) < 0 ||
	    listen(fd, 64) < 0)
		return -1;
	return take_fd(&fd);
}

int set_up_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

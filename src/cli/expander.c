/* expander.c - an archive that a user gives us may be compressed: ketch-image expands it, in its sandbox, on the way
 *
 * A child of ours looks after it, for we have the archive to carry meanwhile.
 */
#include "cli/expander.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "image/store.h"

#define MAGIC_MAX 6

/* The first bytes, which stay there to be read.  What is none of these cannot be looked at: 0. */
static ssize_t peek(int fd, char first[MAGIC_MAX])
{
	struct stat st;
	int p[2];
	ssize_t n;

	if (fstat(fd, &st) < 0)
		return 0;
	if (S_ISREG(st.st_mode))
		return pread(fd, first, MAGIC_MAX, lseek(fd, 0, SEEK_CUR));
	if (S_ISSOCK(st.st_mode))
		return recv(fd, first, MAGIC_MAX, MSG_PEEK);
	if (!S_ISFIFO(st.st_mode) || pipe_cloexec(p) < 0)
		return 0;
	while ((n = tee(fd, p[1], MAGIC_MAX, 0)) < 0 && errno == EINTR)
		;
	if (n > 0)
		n = read(p[0], first, MAGIC_MAX);
	close(p[0]);
	close(p[1]);
	return n;
}

/* Of a writer that gave only the first byte yet: it may be, and ketch-image sees the rest. */
static bool may_be_compressed(int fd)
{
	static const struct {
		const char *magic;
		size_t n;
	} kinds[] = { { "\x1f\x8b", 2 }, { "BZh", 3 }, { "\xfd\x37zXZ\0", 6 }, { "\x28\xb5\x2f\xfd", 4 } };
	char first[MAGIC_MAX];
	ssize_t n = peek(fd, first);

	for (size_t i = 0; n > 0 && i < ARRAY_LEN(kinds); i++)
		if (!memcmp(first, kinds[i].magic, kinds[i].n < (size_t)n ? kinds[i].n : (size_t)n))
			return true;
	return false;
}

static int pass_on(void *arg, const void *data, size_t n)
{
	return write_full(*(int *)arg, data, n);
}

static __attribute__((noreturn)) void child_run(struct engine *en, int fd, int archive, int report)
{
	const struct image_sink sink = { pass_on, &archive };
	struct err e = { 0 };
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	signal(SIGPIPE, SIG_IGN); /* so that what is staged is removed */
	r = image_expand(engine_images(en), fd, &sink, &e);
	if (r < 0 && e.no != EPIPE)
		write_full(report, e.msg, strlen(e.msg));
	_exit(r < 0);
}

int expander_start(struct engine *en, int fd, struct expander *ret, struct err *e)
{
	int archive[2], report[2], pid;

	*ret = (struct expander){ .fd = fd };
	if (!may_be_compressed(fd))
		return 0;
	if (pipe_cloexec(archive) < 0)
		return err_sys(e, errno, "cannot make a pipe");
	if (pipe_cloexec(report) < 0) {
		close(archive[0]);
		close(archive[1]);
		return err_sys(e, errno, "cannot make a pipe");
	}
	pid = fork();
	if (pid == 0) {
		close(archive[0]); /* the end of whoever reads it has to be seen */
		child_run(en, fd, archive[1], report[1]);
	}
	close(archive[1]);
	close(report[1]);
	*ret = (struct expander){ archive[0], true, { pid, archive[0], report[0] } };
	if (pid < 0) {
		close(archive[0]);
		close(report[0]);
		return err_sys(e, errno, "cannot start a process");
	}
	return 0;
}

int expander_end(struct expander *x, struct err *e)
{
	return x->works ? worker_end(&x->worker, e) : 0;
}

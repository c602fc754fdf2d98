/* names.c - the networks of the instance are ready, before its main process uses them */
#include "monitor/names.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define PREFIX	 "names/"
#define WAIT_MS	 30000
#define SAID_MAX 640 /* as long as the text of an error may be */

/* Whoever started the instance sees to rules and names meanwhile, and says how that went. */
static int await_rules(int fd, struct err *e)
{
	struct pollfd p = { fd, POLLIN, 0 };
	int ready = poll(&p, 1, WAIT_MS);
	char said[SAID_MAX];
	ssize_t n = ready == 1 ? read(fd, said, sizeof(said) - 1) : 0;

	if (n == 2 && !memcmp(said, "ok", 2))
		return 0;
	if (n <= 0)
		return err_set(e, EIO, "the command that started it %s before its networks were ready",
			       ready == 1 ? "has ended" : "did not come so far");
	said[n] = '\0';
	return err_set(e, EIO, "%s", said);
}

static int await_names(int fd, const char *network, struct err *e)
{
	char said[SAID_MAX];
	int r = read_ready(fd, WAIT_MS, said, sizeof(said));

	return r < 0 ? err_set(e, -r, "name service of network %.80s: %s", network, said) : 0;
}

int names_await(struct boot *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < b->n_fds && r == 0; i++) {
		struct boot_fd *f = &b->fds[i];
		bool rules = !strcmp(f->name, "network");

		if (f->fd < 0 || (!rules && strncmp(f->name, PREFIX, strlen(PREFIX)) != 0))
			continue;
		r = rules ? await_rules(f->fd, e) : await_names(f->fd, f->name + strlen(PREFIX), e);
		close(f->fd);
		f->fd = -1;
	}
	return r;
}

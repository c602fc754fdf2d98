/* names.c - name services that were started for the instance have started, before its main process asks them */
#include "monitor/names.h"

#include <string.h>
#include <unistd.h>

#include "base/io.h"

#define PREFIX	 "names/"
#define WAIT_MS	 10000
#define SAID_MAX 129

int names_await(struct boot *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < b->n_fds && r == 0; i++) {
		struct boot_fd *f = &b->fds[i];
		char said[SAID_MAX];

		if (f->fd < 0 || strncmp(f->name, PREFIX, strlen(PREFIX)) != 0)
			continue;
		r = read_ready(f->fd, WAIT_MS, said, sizeof(said));
		close(f->fd);
		f->fd = -1;
		if (r < 0)
			err_set(e, -r, "name service of network %.80s: %s", f->name + strlen(PREFIX), said);
	}
	return r;
}

/* walk.c - cgroups with all below them; what they list */
#include "cgroup/walk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"

#define DEPTH	  32 /* of cgroups that a privileged container may have made in its own */
#define PROCS_MAX (1 << 24)

struct walk {
	cgroup_visit_fn *fn;
	void *ctx;
};

static int walk_below(const struct walk *w, int parent, const char *name, int depth)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW), r = 0, k;
	struct dirent *de;
	DIR *d;

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	d = depth ? fdopendir(fd) : NULL;
	if (!d) {
		close(fd);
		return -ELOOP;
	}
	while ((de = readdir(d))) {
		if (de->d_type != DT_DIR || de->d_name[0] == '.')
			continue;
		k = walk_below(w, fd, de->d_name, depth - 1);
		r = r ? r : k;
	}
	k = w->fn(fd, name, parent, w->ctx);
	closedir(d);
	return r ? r : k;
}

int cgroup_walk(const struct strv *dirs, cgroup_visit_fn *fn, void *ctx)
{
	const struct walk w = { fn, ctx };
	int r = 0;

	for (size_t i = 0; i < dirs->n; i++) {
		int k = walk_below(&w, AT_FDCWD, dirs->v[i], DEPTH);

		r = r ? r : k;
	}
	return r;
}

static int add_pid(struct pidv *p, pid_t pid)
{
	pid_t *v = reallocarray(p->v, p->n + 1, sizeof(*v));

	if (!v)
		return -ENOMEM;
	p->v = v;
	p->v[p->n++] = pid;
	return 0;
}

int cgroup_read_procs(int dirfd, struct pidv *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	AUTO(strv_done) struct strv lines = { 0 };
	uint32_t pid;
	int r = read_file(dirfd, "cgroup.procs", PROCS_MAX, &b);

	if (r == -ENODEV || r == -ENOENT ||
	    r == -EOPNOTSUPP) /* v2: the domain above lists those of a threaded one */
		return 0;
	if (r < 0 || !b.len)
		return r;
	r = strv_split(&lines, b.data, "\n");
	for (size_t i = 0; i < lines.n && r == 0; i++)
		if (parse_u32(lines.v[i], &pid) == 0)
			r = add_pid(ret, (pid_t)pid);
	return r;
}

void pidv_done(struct pidv *p)
{
	free(p->v);
	*p = (struct pidv){ 0 };
}

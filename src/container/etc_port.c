/* etc_port.c - lines of files in /etc come and go with a network */
#include "container/etc_port.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "base/path.h"
#include "container/plan_int.h"

#define ETC_MAX (1 << 20)

static bool is_of_user(const struct instance_spec *s, const char *path)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (!strcmp(s->mounts[i].target, path) || !strcmp(s->mounts[i].target, "/etc"))
			return true;
	return false;
}

/* Ours is on a tmpfs.  What the instance has put in its place may be a device, or of a file system that never answers. */
static int open_ours(int root, const char *path)
{
	autoclose int at = open_in_root(root, path, O_PATH | O_CLOEXEC, 0);
	struct statfs fs;

	if (at < 0)
		return at;
	if (fstatfs(at, &fs) < 0)
		return -errno;
	return fs.f_type == TMPFS_MAGIC ? open_again(at, S_IFREG, O_RDWR) : -ENOENT;
}

/* Is the line of n bytes, with its end, one of `lines`? */
static bool is_one_of(const struct buf *lines, const char *line, size_t n)
{
	for (const char *at = lines->data; at && *at; at = strchr(at, '\n') + 1)
		if ((size_t)(strchr(at, '\n') + 1 - at) == n && !memcmp(at, line, n))
			return true;
	return false;
}

/* All lines of `text` but those. */
static void add_others(struct buf *out, const struct buf *text, const struct buf *lines)
{
	const char *stop = text->data + text->len, *end;

	for (const char *at = text->data; at < stop; at = end) {
		end = memchr(at, '\n', (size_t)(stop - at));
		end = end ? end + 1 : stop;
		if (!is_one_of(lines, at, (size_t)(end - at)))
			buf_add(out, at, (size_t)(end - at));
	}
	if (out->len && out->data[out->len - 1] != '\n')
		buf_addc(out, '\n');
}

static void change(int root, const struct instance_spec *s, const char *path, const struct buf *lines,
		   bool leaves)
{
	AUTO(buf_done) struct buf text = { 0 }, now = { 0 };
	autoclose int fd = is_of_user(s, path) || !lines->len ? -1 : open_ours(root, path);

	if (fd < 0 || read_to_end(fd, ETC_MAX, &text) < 0)
		return;
	add_others(&now, &text, lines);
	if (!leaves)
		buf_add(&now, lines->data, lines->len);
	/* longer first: should the tmpfs be full, all is as it was */
	if (!buf_ok(&now) || (now.len > text.len && posix_fallocate(fd, 0, (off_t)now.len) != 0))
		return;
	if (pwrite(fd, now.data, now.len, 0) == (ssize_t)now.len && ftruncate(fd, (off_t)now.len) < 0)
		log_debug("container", "%s: %s", path, strerror(errno));
}

void etc_port_change(int root, const struct instance_spec *s, const struct net_port *p, bool leaves)
{
	AUTO(buf_done) struct buf hosts = { 0 }, servers = { 0 };

	plan_etc_hosts(&hosts, s, p);
	plan_etc_server(&servers, s, p);
	if (!s->sandbox.no_hosts)
		change(root, s, "/etc/hosts", &hosts, leaves);
	change(root, s, "/etc/resolv.conf", &servers, leaves);
}

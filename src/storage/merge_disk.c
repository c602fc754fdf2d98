/* merge_disk.c - two images of a stack become one: the clusters that the upper one has are written to the lower one */
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "storage/merge.h"
#include "storage/qcow2.h"

struct merge {
	struct qcow2 *upper, *lower; /* lower NULL: raw */
	int lower_fd;
	uint64_t bytes;
	uint8_t cluster[QCOW2_CLUSTER];
};

/* Behind the end of a file there are zeroes. */
static int read_cluster(int fd, uint64_t offset, uint8_t *to, size_t n)
{
	size_t done = 0;

	while (done < n) {
		ssize_t k = pread(fd, to + done, n - done, (off_t)(offset + done));

		if (k < 0 && errno == EINTR)
			continue;
		if (k < 0)
			return -errno;
		if (!k) {
			memset(to + done, 0, n - done);
			return 0;
		}
		done += (size_t)k;
	}
	return 0;
}

static int put_data(struct merge *m, uint64_t cluster, size_t n)
{
	struct qcow2_place at = { .offset = cluster * QCOW2_CLUSTER };
	int r = m->lower ? qcow2_find(m->lower, cluster, &at) : 0;
	bool in_place = !m->lower || (at.state == QCOW2_DATA && at.ours);
	bool is_taken = at.state == QCOW2_ZERO && at.ours && at.offset;

	if (r == 0 && !in_place && !is_taken)
		r = qcow2_take(m->lower, &at.offset);
	if (r == 0) /* a whole one where it is new: what is behind the end of the disk is nobody's */
		r = pwrite_full(m->lower_fd, m->cluster, in_place ? n : QCOW2_CLUSTER, (off_t)at.offset);
	return r == 0 && !in_place ? qcow2_map(m->lower, cluster, at.offset) : r;
}

static int put_zeroes(struct merge *m, uint64_t cluster, size_t n)
{
	if (m->lower)
		return qcow2_map_zero(m->lower, cluster);
	if (fallocate(m->lower_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      (off_t)(cluster * QCOW2_CLUSTER), (off_t)n) == 0)
		return 0;
	memset(m->cluster, 0, n);
	return put_data(m, cluster, n);
}

static int merge_cluster(struct merge *m, uint64_t cluster)
{
	uint64_t left = m->bytes - cluster * QCOW2_CLUSTER;
	size_t n = left < QCOW2_CLUSTER ? (size_t)left : QCOW2_CLUSTER;
	struct qcow2_place at;
	int r = qcow2_find(m->upper, cluster, &at);

	if (r < 0 || at.state == QCOW2_NONE)
		return r;
	if (at.state == QCOW2_ZERO)
		return put_zeroes(m, cluster, n);
	memset(m->cluster, 0, sizeof(m->cluster));
	r = read_cluster(qcow2_fd(m->upper), at.offset, m->cluster, n);
	return r < 0 ? r : put_data(m, cluster, n);
}

static int merge_all(struct merge *m)
{
	uint64_t n = (m->bytes + QCOW2_CLUSTER - 1) / QCOW2_CLUSTER;
	int r = 0;

	for (uint64_t i = 0; i < n && r == 0; i++)
		r = merge_cluster(m, i);
	if (r == 0)
		r = m->lower ? qcow2_flush(m->lower) : fdatasync(m->lower_fd) < 0 ? -errno : 0;
	return r;
}

static int fit_raw(const struct merge *m)
{
	struct stat st;

	if (fstat(m->lower_fd, &st) < 0)
		return -errno;
	if ((uint64_t)st.st_size > m->bytes)
		return -EINVAL;
	/* behind its end there are zeroes already */
	return ftruncate(m->lower_fd, (off_t)m->bytes) < 0 ? -errno : 0;
}

static int open_lower(struct merge *m)
{
	int r = qcow2_open(m->lower_fd, true, &m->lower);

	return r == 0 && qcow2_bytes(m->lower) != m->bytes ? -EINVAL : r;
}

int merge_disks(int lower, bool lower_is_raw, int upper)
{
	struct merge *m = calloc(1, sizeof(*m));
	int r;

	if (!m)
		return -ENOMEM;
	m->lower_fd = lower;
	r = qcow2_open(upper, false, &m->upper);
	if (r == 0)
		m->bytes = qcow2_bytes(m->upper);
	if (r == 0)
		r = lower_is_raw ? fit_raw(m) : open_lower(m);
	if (r == 0)
		r = merge_all(m);
	if (m->upper)
		qcow2_close(m->upper);
	if (m->lower)
		qcow2_close(m->lower);
	free(m);
	return r;
}

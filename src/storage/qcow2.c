/* qcow2.c - an image is made, opened and looked at */
#include "storage/qcow2.h"

#include <endian.h>
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "storage/qcow2_int.h"

#define MAGIC		     0x514649fbU
#define VERSION		     3
#define CLUSTER_BITS	     16
#define REFCOUNT_ORDER	     4 /* 16 bits */
#define MOST_REFCOUNTS_BYTES (UINT64_C(1) << 44) /* what a table of one cluster can count */

/* All big-endian. */
struct header {
	uint32_t magic, version;
	uint64_t backing_offset;
	uint32_t backing_bytes;
	uint32_t cluster_bits;
	uint64_t bytes;
	uint32_t crypt_method;
	uint32_t l1_size;
	uint64_t l1_offset;
	uint64_t refcount_offset;
	uint32_t refcount_clusters;
	uint32_t n_snapshots;
	uint64_t snapshots_offset;
	uint64_t incompatible, compatible, autoclear;
	uint32_t refcount_order;
	uint32_t header_bytes;
};
_Static_assert(sizeof(struct header) == 104, "the header of version 3");

/* --- plain input and output */

int qcow2_read_at(int fd, void *to, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		const struct iovec v = { (uint8_t *)to + done, n - done };
		ssize_t r = preadv(fd, &v, 1, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EUCLEAN;
		done += (size_t)r;
	}
	return 0;
}

int qcow2_write_at(int fd, const void *from, size_t n, uint64_t offset)
{
	size_t done = 0;

	while (done < n) {
		const struct iovec v = { (uint8_t *)(uintptr_t)from + done, n - done };
		ssize_t r = pwritev(fd, &v, 1, (off_t)(offset + done));

		if (r < 0 && errno == EINTR)
			continue;
		if (r <= 0)
			return r < 0 ? -errno : -EIO;
		done += (size_t)r;
	}
	return 0;
}

/* --- format */

static uint32_t count_l1(uint64_t bytes)
{
	const uint64_t each = (uint64_t)ENTRIES * QCOW2_CLUSTER;

	return (uint32_t)((bytes + each - 1) / each);
}

static bool is_disk(uint64_t bytes)
{
	return bytes && bytes <= QCOW2_MOST_BYTES && bytes % 512 == 0;
}

int qcow2_format(int fd, uint64_t bytes)
{
	const struct header h = {
		.magic = htobe32(MAGIC),
		.version = htobe32(VERSION),
		.cluster_bits = htobe32(CLUSTER_BITS),
		.bytes = htobe64(bytes),
		.l1_size = htobe32(count_l1(bytes)),
		.l1_offset = htobe64(AT_L1 * QCOW2_CLUSTER),
		.refcount_offset = htobe64(AT_TABLE * QCOW2_CLUSTER),
		.refcount_clusters = htobe32(1),
		.refcount_order = htobe32(REFCOUNT_ORDER),
		.header_bytes = htobe32(sizeof(h)),
	};
	const uint64_t block = htobe64(AT_BLOCK * QCOW2_CLUSTER);
	uint16_t counts[CLUSTERS_NEW];
	int r;

	if (!is_disk(bytes))
		return -EINVAL;
	for (unsigned i = 0; i < CLUSTERS_NEW; i++)
		counts[i] = htobe16(1);
	if (ftruncate(fd, (off_t)EMPTY_BYTES) < 0)
		return -errno;
	r = qcow2_write_at(fd, counts, sizeof(counts), AT_BLOCK * QCOW2_CLUSTER);
	if (r == 0)
		r = qcow2_write_at(fd, &block, sizeof(block), AT_TABLE * QCOW2_CLUSTER);
	return r < 0 ? r : qcow2_write_at(fd, &h, sizeof(h), 0);
}

/* --- opening */

static bool is_cluster(uint64_t offset, uint64_t file_bytes)
{
	return offset && offset % QCOW2_CLUSTER == 0 && offset < file_bytes;
}

static int check_header(const struct header *h, uint64_t file_bytes)
{
	uint64_t bytes = be64toh(h->bytes);

	if (be32toh(h->magic) != MAGIC)
		return -EUCLEAN;
	if (be32toh(h->version) != VERSION || be32toh(h->cluster_bits) != CLUSTER_BITS || h->crypt_method ||
	    h->n_snapshots || h->incompatible || be32toh(h->refcount_order) != REFCOUNT_ORDER ||
	    be32toh(h->refcount_clusters) != 1)
		return -ENOTSUP;
	if (be32toh(h->header_bytes) < sizeof(*h) || be32toh(h->header_bytes) > QCOW2_CLUSTER ||
	    !is_disk(bytes) || be32toh(h->l1_size) != count_l1(bytes) ||
	    !is_cluster(be64toh(h->l1_offset), file_bytes) ||
	    !is_cluster(be64toh(h->refcount_offset), file_bytes) || h->l1_offset == h->refcount_offset)
		return -EUCLEAN;
	return 0;
}

/* Address space that costs what is touched of it: page by page, not 2 MiB for each entry. */
static void *reserve(uint64_t bytes)
{
	void *p =
		mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	if (p == MAP_FAILED)
		return NULL;
	madvise(p, bytes, MADV_NOHUGEPAGE);
	return p;
}

/* Room to count every cluster of the disk and of the tables. */
static uint32_t count_blocks(uint64_t bytes)
{
	uint64_t clusters = bytes / QCOW2_CLUSTER;
	uint64_t n = clusters / REFCOUNTS + clusters / ENTRIES / REFCOUNTS + 4;

	/* what was given up behind other writers counts, too */
	return (uint32_t)(2 * n < ENTRIES ? 2 * n : ENTRIES);
}

/* All in one mapping: the tables, and behind them what is known of each. */
static int make_room(struct qcow2 *q)
{
	uint64_t tables = 1 + (uint64_t)q->n_l1, states;
	uint8_t *at;

	if (q->writable) {
		q->n_blocks = count_blocks(q->bytes);
		tables += 1 + (uint64_t)q->n_blocks;
	}
	states = (uint64_t)q->n_l1 + q->n_blocks;
	q->room_bytes = tables * QCOW2_CLUSTER + states * sizeof(struct page_state);
	q->room = at = reserve(q->room_bytes);
	if (!at)
		return -ENOMEM;
	q->l2_state = (struct page_state *)(void *)(at + tables * QCOW2_CLUSTER);
	q->l1 = (uint64_t *)(void *)at;
	q->l2 = q->l1 + ENTRIES;
	if (!q->writable)
		return 0;
	q->block_state = q->l2_state + q->n_l1;
	q->table = q->l2 + (size_t)q->n_l1 * ENTRIES;
	q->blocks = (uint16_t *)(void *)(q->table + ENTRIES);
	return 0;
}

static int read_header(int fd, uint64_t file_bytes, struct header *ret)
{
	int r = qcow2_read_at(fd, ret, sizeof(*ret), 0);

	return r < 0 ? r : check_header(ret, file_bytes);
}

static int read_tables(struct qcow2 *q, const struct header *h, uint64_t file_bytes)
{
	int r;

	q->l1_offset = be64toh(h->l1_offset);
	q->table_offset = be64toh(h->refcount_offset);
	r = qcow2_read_at(q->fd, q->l1, (size_t)q->n_l1 * 8, q->l1_offset);
	return r == 0 && q->writable ? qcow2_load_refcounts(q, file_bytes) : r;
}

static int take_shape(struct qcow2 *q, uint64_t bytes)
{
	q->bytes = bytes;
	q->n_l1 = count_l1(bytes);
	return make_room(q);
}

static int load(struct qcow2 *q)
{
	struct header h;
	struct stat st;
	int r;

	if (fstat(q->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode) || (uint64_t)st.st_size > MOST_REFCOUNTS_BYTES)
		return -EUCLEAN;
	r = read_header(q->fd, (uint64_t)st.st_size, &h);
	if (r == 0)
		r = take_shape(q, be64toh(h.bytes));
	return r < 0 ? r : read_tables(q, &h, (uint64_t)st.st_size);
}

int qcow2_open(int fd, bool writable, struct qcow2 **ret)
{
	struct qcow2 *q = calloc(1, sizeof(*q));
	int r;

	if (!q)
		return -ENOMEM;
	q->fd = fd;
	q->writable = writable;
	r = load(q);
	if (r < 0)
		qcow2_close(q);
	else
		*ret = q;
	return r;
}

int qcow2_reserve(uint64_t bytes, struct qcow2 **ret)
{
	struct qcow2 *q = is_disk(bytes) ? calloc(1, sizeof(*q)) : NULL;
	int r;

	if (!q)
		return is_disk(bytes) ? -ENOMEM : -EINVAL;
	q->fd = -1;
	q->writable = true;
	r = take_shape(q, bytes);
	if (r < 0)
		qcow2_close(q);
	else
		*ret = q;
	return r;
}

/* As qcow2_format has made it, without a look at more than may have changed: who reads tables has them in memory. */
int qcow2_adopt(struct qcow2 *q, int fd)
{
	struct header h;
	int r = read_header(fd, EMPTY_BYTES, &h);

	if (r == 0 && (be64toh(h.bytes) != q->bytes || be64toh(h.l1_offset) != AT_L1 * QCOW2_CLUSTER ||
		       be64toh(h.refcount_offset) != AT_TABLE * QCOW2_CLUSTER))
		r = -EINVAL;
	q->fd = fd;
	q->l1_offset = AT_L1 * QCOW2_CLUSTER;
	q->table_offset = AT_TABLE * QCOW2_CLUSTER;
	if (r == 0)
		r = qcow2_read_at(fd, q->l1, (size_t)q->n_l1 * 8, q->l1_offset);
	for (uint32_t i = 0; r == 0 && i < q->n_l1; i++)
		if (q->l1[i])
			r = -EINVAL;
	qcow2_count_new(q);
	return r;
}

/* What counts its clusters is of no more use. */
void qcow2_seal(struct qcow2 *q)
{
	if (q->writable)
		madvise(q->table, (1 + (size_t)q->n_blocks) * QCOW2_CLUSTER, MADV_DONTNEED);
	q->writable = false;
}

int qcow2_is_empty(int fd)
{
	struct stat st;

	/* clusters are taken from the end of the file alone */
	return fstat(fd, &st) < 0 ? -errno : (uint64_t)st.st_size <= EMPTY_BYTES;
}

void qcow2_close(struct qcow2 *q)
{
	if (!q)
		return;
	if (q->room)
		munmap(q->room, q->room_bytes);
	free(q);
}

uint64_t qcow2_bytes(const struct qcow2 *q)
{
	return q->bytes;
}

int qcow2_fd(const struct qcow2 *q)
{
	return q->fd;
}

/* --- looking */

int qcow2_check_offset(uint64_t entry, uint64_t flags, uint64_t *ret)
{
	uint64_t offset = entry & OFFSET_MASK;

	if ((entry & ~(OFFSET_MASK | flags)) || offset % QCOW2_CLUSTER || offset >= MOST_REFCOUNTS_BYTES)
		return -EUCLEAN;
	*ret = offset;
	return 0;
}

int qcow2_load_l2(struct qcow2 *q, uint32_t i, uint64_t **ret)
{
	uint64_t *l2 = q->l2 + (size_t)i * ENTRIES, offset;
	int r = qcow2_check_offset(be64toh(q->l1[i]), COPIED, &offset);

	*ret = NULL;
	if (r < 0 || !offset)
		return r;
	if (!q->l2_state[i].loaded)
		r = qcow2_read_at(q->fd, l2, QCOW2_CLUSTER, offset);
	if (r < 0)
		return r;
	q->l2_state[i].loaded = true;
	*ret = l2;
	return 0;
}

int qcow2_find(struct qcow2 *q, uint64_t cluster, struct qcow2_place *ret)
{
	uint64_t entry, *l2;
	int r;

	*ret = (struct qcow2_place){ .state = QCOW2_NONE };
	if (cluster >= (uint64_t)q->n_l1 * ENTRIES)
		return -EINVAL;
	r = qcow2_load_l2(q, (uint32_t)(cluster / ENTRIES), &l2);
	if (r < 0 || !l2)
		return r;
	entry = be64toh(l2[cluster % ENTRIES]);
	r = qcow2_check_offset(entry, COPIED | ALL_ZEROES, &ret->offset);
	if (r < 0 || (!ret->offset && (entry & COPIED)))
		return -EUCLEAN;
	ret->ours = entry & COPIED;
	ret->state = entry & ALL_ZEROES ? QCOW2_ZERO : ret->offset ? QCOW2_DATA : QCOW2_NONE;
	return 0;
}

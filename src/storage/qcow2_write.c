/* qcow2_write.c - clusters are taken, mapped and made durable, and all given up again */
#include <endian.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <stdbool.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "storage/qcow2_int.h"

void qcow2_mark(struct page_state *s, uint32_t from, uint32_t to)
{
	if (s->dirty_from == s->dirty_to) {
		s->dirty_from = from;
		s->dirty_to = to;
		return;
	}
	s->dirty_from = from < s->dirty_from ? from : s->dirty_from;
	s->dirty_to = to > s->dirty_to ? to : s->dirty_to;
}

/* --- refcounts */

static uint16_t *block_of(struct qcow2 *q, uint64_t i)
{
	return q->blocks + i * REFCOUNTS;
}

/* The cluster behind the last that is counted in this block; 0: none is. */
static uint64_t last_used(struct qcow2 *q, uint64_t i)
{
	const uint16_t *counts = block_of(q, i);

	for (uint64_t k = REFCOUNTS; k > 0; k--)
		if (counts[k - 1])
			return i * REFCOUNTS + k;
	return 0;
}

int qcow2_load_refcounts(struct qcow2 *q, uint64_t file_bytes)
{
	int r = qcow2_read_at(q->fd, q->table, QCOW2_CLUSTER, q->table_offset);

	q->next = (file_bytes + QCOW2_CLUSTER - 1) / QCOW2_CLUSTER;
	for (uint64_t i = 0; i < ENTRIES && r == 0; i++) {
		uint64_t offset, end;

		r = qcow2_check_offset(be64toh(q->table[i]), 0, &offset);
		if (r < 0 || !offset)
			continue;
		if (i >= q->n_blocks)
			return -EFBIG;
		r = qcow2_read_at(q->fd, block_of(q, i), QCOW2_CLUSTER, offset);
		if (r < 0)
			break;
		q->block_state[i].loaded = true;
		end = last_used(q, i);
		if (end > q->next)
			q->next = end;
	}
	return r;
}

/* The block that counts this cluster is there; it may itself take the next clusters. */
static int need_block(struct qcow2 *q, uint64_t cluster)
{
	uint64_t i = cluster / REFCOUNTS, at;

	if (i >= q->n_blocks)
		return -ENOSPC;
	if (q->block_state[i].loaded)
		return 0;
	at = q->next++;
	q->block_state[i].loaded = true;
	qcow2_mark(&q->block_state[i], 0, QCOW2_CLUSTER);
	q->table[i] = htobe64(at * QCOW2_CLUSTER);
	q->table_dirty = true;
	/* mostly in this very block; else one more, which ends here for a block counts more than itself */
	if (at / REFCOUNTS >= q->n_blocks)
		return -ENOSPC;
	if (at / REFCOUNTS != i && need_block(q, at) < 0)
		return -ENOSPC;
	q->blocks[at] = htobe16(1);
	qcow2_mark(&q->block_state[at / REFCOUNTS], (uint32_t)(at % REFCOUNTS * 2),
		   (uint32_t)(at % REFCOUNTS * 2 + 2));
	return 0;
}

int qcow2_take(struct qcow2 *q, uint64_t *ret_offset)
{
	uint64_t at = q->next;
	int r = need_block(q, at);
	uint32_t byte = (uint32_t)(at % REFCOUNTS * 2);

	if (r < 0)
		return r;
	if (q->next == at) { /* no block came in between */
		q->next++;
	} else {
		at = q->next++;
		r = need_block(q, at);
		if (r < 0)
			return r;
		byte = (uint32_t)(at % REFCOUNTS * 2);
	}
	q->blocks[at] = htobe16(1);
	qcow2_mark(&q->block_state[at / REFCOUNTS], byte, byte + 2);
	*ret_offset = at * QCOW2_CLUSTER;
	return 0;
}

/* --- the map */

static int need_l2(struct qcow2 *q, uint32_t i, uint64_t **ret)
{
	uint64_t offset;
	int r = qcow2_load_l2(q, i, ret);

	if (r < 0)
		return r;
	if (*ret) /* shared tables are of internal snapshots, which there are none */
		return be64toh(q->l1[i]) & COPIED ? 0 : -EUCLEAN;
	r = qcow2_take(q, &offset);
	if (r < 0)
		return r;
	q->l1[i] = htobe64(offset | COPIED);
	q->l1_dirty = true;
	q->l2_state[i].loaded = true;
	qcow2_mark(&q->l2_state[i], 0, QCOW2_CLUSTER);
	*ret = q->l2 + (size_t)i * ENTRIES;
	return 0;
}

static int set_entry(struct qcow2 *q, uint64_t cluster, uint64_t entry)
{
	uint32_t i = (uint32_t)(cluster / ENTRIES), byte = (uint32_t)(cluster % ENTRIES * 8);
	uint64_t *l2;
	int r;

	if (!q->writable || cluster >= (uint64_t)q->n_l1 * ENTRIES)
		return -EINVAL;
	r = need_l2(q, i, &l2);
	if (r < 0)
		return r;
	l2[cluster % ENTRIES] = htobe64(entry);
	qcow2_mark(&q->l2_state[i], byte, byte + 8);
	return 0;
}

int qcow2_map(struct qcow2 *q, uint64_t cluster, uint64_t offset)
{
	return set_entry(q, cluster, offset | COPIED);
}

int qcow2_map_zero(struct qcow2 *q, uint64_t cluster)
{
	struct qcow2_place was;
	int r = qcow2_find(q, cluster, &was);

	/* the cluster stays taken: it is written again sooner or later */
	return r < 0 ? r : set_entry(q, cluster, ALL_ZEROES | (was.ours ? was.offset | COPIED : 0));
}

/* --- durable */

static int write_page(int fd, const void *page, struct page_state *s, uint64_t offset)
{
	int r;

	if (s->dirty_from == s->dirty_to)
		return 0;
	r = qcow2_write_at(fd, (const uint8_t *)page + s->dirty_from, s->dirty_to - s->dirty_from,
			   offset + s->dirty_from);
	if (r == 0)
		s->dirty_from = s->dirty_to = 0;
	return r;
}

static int write_refcounts(struct qcow2 *q)
{
	int r = 0;

	for (uint64_t i = 0; i < q->n_blocks && r == 0; i++)
		if (q->block_state[i].loaded)
			r = write_page(q->fd, block_of(q, i), &q->block_state[i], be64toh(q->table[i]));
	if (r == 0 && q->table_dirty) {
		r = qcow2_write_at(q->fd, q->table, QCOW2_CLUSTER, q->table_offset);
		q->table_dirty = r < 0;
	}
	return r;
}

static int write_l2(struct qcow2 *q)
{
	int r = 0;

	for (uint32_t i = 0; i < q->n_l1 && r == 0; i++)
		r = write_page(q->fd, q->l2 + (size_t)i * ENTRIES, &q->l2_state[i],
			       be64toh(q->l1[i]) & OFFSET_MASK);
	return r;
}

static int write_l1(struct qcow2 *q)
{
	int r = q->l1_dirty ? qcow2_write_at(q->fd, q->l1, (size_t)q->n_l1 * 8, q->l1_offset) : 0;

	q->l1_dirty = q->l1_dirty && r < 0;
	return r;
}

int qcow2_settle(struct qcow2 *q)
{
	int r = write_refcounts(q);

	if (r == 0)
		r = write_l2(q);
	return r < 0 ? r : write_l1(q);
}

static int sync_data(struct qcow2 *q)
{
	return fdatasync(q->fd) < 0 ? -errno : 0;
}

static bool is_dirty(const struct qcow2 *q)
{
	for (uint32_t i = 0; i < q->n_l1; i++)
		if (q->l2_state[i].dirty_from != q->l2_state[i].dirty_to)
			return true;
	return q->l1_dirty;
}

int qcow2_flush(struct qcow2 *q)
{
	bool dirty = is_dirty(q);
	int r = write_refcounts(q);

	if (r == 0)
		r = sync_data(q);
	if (r < 0 || !dirty)
		return r;
	r = write_l2(q);
	if (r == 0 && q->l1_dirty) {
		r = sync_data(q);
		if (r == 0)
			r = write_l1(q);
	}
	return r < 0 ? r : sync_data(q);
}

/* --- empty again */

void qcow2_count_new(struct qcow2 *q)
{
	q->table[0] = htobe64(AT_BLOCK * QCOW2_CLUSTER);
	q->block_state[0].loaded = true;
	for (q->next = 0; q->next < CLUSTERS_NEW; q->next++)
		q->blocks[q->next] = htobe16(1);
}

static bool is_of_format(const struct qcow2 *q)
{
	return q->writable && q->l1_offset == AT_L1 * QCOW2_CLUSTER &&
	       q->table_offset == AT_TABLE * QCOW2_CLUSTER &&
	       be64toh(q->table[0]) == AT_BLOCK * QCOW2_CLUSTER;
}

/* Who is killed behind the write leaves clusters that are counted, and that nothing names. */
int qcow2_empty(struct qcow2 *q)
{
	uint64_t end = q->next * QCOW2_CLUSTER;
	int r = is_of_format(q) ? 0 : -ENOTSUP;

	if (r < 0)
		return r;
	memset(q->l1, 0, (size_t)q->n_l1 * 8);
	r = qcow2_write_at(q->fd, q->l1, (size_t)q->n_l1 * 8, q->l1_offset);
	if (r == 0 && fdatasync(q->fd) < 0)
		r = -errno;
	if (r < 0)
		return r;
	madvise(q->room, q->room_bytes, MADV_DONTNEED);
	q->l1_dirty = false;
	qcow2_count_new(q);
	qcow2_mark(&q->block_state[0], 0, QCOW2_CLUSTER);
	q->table_dirty = true;
	/* a file system without holes keeps the blocks until they are written again */
	if (end > EMPTY_BYTES)
		fallocate(q->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, (off_t)EMPTY_BYTES,
			  (off_t)(end - EMPTY_BYTES));
	return qcow2_settle(q);
}

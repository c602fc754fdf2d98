/* qcow2_int.h - an image in memory
 *
 * Tables are as they are in the file, big-endian, in address space that is reserved at the beginning and filled when a
 * table is first looked at: afterwards nothing is allocated.
 */
#ifndef STORAGE_QCOW2_INT_H
#define STORAGE_QCOW2_INT_H

#include "storage/qcow2.h"

#define ENTRIES	    (QCOW2_CLUSTER / 8) /* of a table */
#define REFCOUNTS   (QCOW2_CLUSTER / 2) /* of a block */
#define OFFSET_MASK UINT64_C(0x00fffffffffffe00)
#define COPIED	    (UINT64_C(1) << 63) /* its refcount is 1: it may be written */
#define ALL_ZEROES  UINT64_C(1)

/* The clusters of an image that holds nothing. */
enum { AT_HEADER, AT_TABLE, AT_BLOCK, AT_L1, CLUSTERS_NEW };
#define EMPTY_BYTES ((uint64_t)CLUSTERS_NEW * QCOW2_CLUSTER)

/* Of a table or block: was it read, and which of its bytes are to be written. */
struct page_state {
	bool loaded;
	uint32_t dirty_from, dirty_to; /* equal: none */
};

struct qcow2 {
	int fd;
	void *room; /* all tables; room_bytes */
	uint64_t room_bytes;
	bool writable;
	uint64_t bytes;
	uint64_t l1_offset;
	uint32_t n_l1;
	uint64_t *l1; /* ENTRIES */
	bool l1_dirty;
	uint64_t *l2; /* n_l1 tables */
	struct page_state *l2_state;

	/* only if writable */
	uint64_t table_offset;
	uint64_t *table; /* ENTRIES: where the blocks of refcounts are */
	bool table_dirty;
	uint32_t n_blocks; /* there is room for */
	uint16_t *blocks;
	struct page_state *block_state;
	uint64_t next; /* the first cluster behind all that is taken */
};

int qcow2_read_at(int fd, void *to, size_t n, uint64_t offset);
int qcow2_write_at(int fd, const void *from, size_t n, uint64_t offset);
/* The offset of a cluster that an entry names, without its flags; 0: none.  -EUCLEAN: no such thing. */
int qcow2_check_offset(uint64_t entry, uint64_t flags, uint64_t *ret);
/* Reads the table of the second level; *ret NULL: there is none. */
int qcow2_load_l2(struct qcow2 *q, uint32_t i, uint64_t **ret);
void qcow2_mark(struct page_state *s, uint32_t from, uint32_t to);
/* In memory: the refcounts of an image that holds nothing; its room is zero otherwise. */
void qcow2_count_new(struct qcow2 *q);
/* For writing: reads the refcounts, finds the end. */
int qcow2_load_refcounts(struct qcow2 *q, uint64_t file_bytes);

#endif

/* qcow2.h - disk images that hold what differs from those below them: qcow2, version 3 (QEMU, docs/interop/qcow2.txt)
 *
 * The part of the format that Ketch writes, and QEMU does: clusters of 64 KiB, refcounts of 16 bits, zero clusters.  Refused
 * are compression, encryption, external data, internal snapshots, extended tables, and files that were left dirty.  The
 * name of a backing file is not looked at: what stands below is known by other means (storage/layer.h).
 *
 * A file may be hostile, for a guest's hypervisor has written it: every number is checked before it is used, and the worst
 * that tables can do is to name other parts of the same file.
 *
 * Order on the disk, so that a crash at any time leaves what was flushed last: data and refcounts, then the tables of the
 * second level, then that of the first.  Tables are held in memory until then; clusters are taken from the end of the file
 * alone.
 *
 * System calls after qcow2_open: preadv, pwritev, fdatasync, fallocate.  Errors are -errno; -EUCLEAN: the file breaks the
 * format.
 */
#ifndef STORAGE_QCOW2_H
#define STORAGE_QCOW2_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/uio.h>

#define QCOW2_CLUSTER 65536
#define QCOW2_MOST_BYTES                                                                                     \
	(UINT64_C(1) << 42) /* of the disk: what a table of the first level of one cluster can name */

struct qcow2;

enum qcow2_state {
	QCOW2_NONE, /* what stands below */
	QCOW2_DATA,
	QCOW2_ZERO,
};

struct qcow2_place {
	enum qcow2_state state;
	uint64_t offset; /* of DATA, in the file */
	bool ours; /* DATA that may be written in place */
};

/* Makes an empty image of an empty file. */
int qcow2_format(int fd, uint64_t bytes);
/* fd stays the caller's; it is written only with `writable`. */
int qcow2_open(int fd, bool writable, struct qcow2 **ret);
/* Room for an image of a disk of so many bytes that comes later, by qcow2_adopt, which allocates nothing. */
int qcow2_reserve(uint64_t bytes, struct qcow2 **ret);
/* It becomes an image that qcow2_format has made and nobody has written to, of a disk of the same size, to be written; fd
 * stays the caller's.  After a failure it is of no more use. */
int qcow2_adopt(struct qcow2 *q, int fd);
/* It is settled, and no longer written.  System calls: madvise. */
void qcow2_seal(struct qcow2 *q);
/* All that was written to it is gone: it is again as qcow2_format has made it, but for the length of the file.  One write does it, and is
 * durable, before anything else is done; after a failure it is of no more use.  -ENOTSUP: others have made this file.  System
 * calls: madvise. */
int qcow2_empty(struct qcow2 *q);
/* Is it an image that qcow2_format has made and nobody has written to?  1 or 0, or -errno. */
int qcow2_is_empty(int fd);
/* Without a flush. */
void qcow2_close(struct qcow2 *q);
uint64_t qcow2_bytes(const struct qcow2 *q);
int qcow2_fd(const struct qcow2 *q);

/* Where a cluster of the disk is. */
int qcow2_find(struct qcow2 *q, uint64_t cluster, struct qcow2_place *ret);
/* A new cluster of the file; nobody knows of it until qcow2_map. */
int qcow2_take(struct qcow2 *q, uint64_t *ret_offset);
/* The cluster of the disk is that one from now on. */
int qcow2_map(struct qcow2 *q, uint64_t cluster, uint64_t offset);
/* The cluster of the disk is zeroes from now on. */
int qcow2_map_zero(struct qcow2 *q, uint64_t cluster);
/* All that was written and mapped is in the file, for others to read; durable with the next flush. */
int qcow2_settle(struct qcow2 *q);
/* All that was written and mapped is durable. */
int qcow2_flush(struct qcow2 *q);

#endif

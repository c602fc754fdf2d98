/* erofs_format.h - EROFS on the disk, as far as we write it (linux/fs/erofs/erofs_fs.h)
 *
 * Uncompressed, blocks of 4096, extended inodes only.  An inode number is its place in the metadata area, in slots of 32
 * bytes; what does not fill a block may lie behind the inode in the same block ("inline").  All is little-endian, and so
 * must the host be.
 */
#ifndef UNPACK_EROFS_FORMAT_H
#define UNPACK_EROFS_FORMAT_H

#include <stdint.h>

#if __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "EROFS is little-endian"
#endif

#define EROFS_BLOCK	      4096
#define EROFS_BLOCK_BITS      12
#define EROFS_MAGIC	      0xE0F5E1E2
#define EROFS_SUPER_OFFSET    1024
#define EROFS_COMPAT_CHECKSUM 0x1
#define EROFS_SLOT	      32

#define EROFS_TAIL_MAX                                                                                       \
	2048 /* of a file's end behind its inode: more would leave large gaps before the next such one */

/* How much of a file lies in blocks of its own; the rest is its tail. */
static inline uint64_t erofs_bytes_in_blocks(uint64_t size)
{
	return size % EROFS_BLOCK <= EROFS_TAIL_MAX ? size - size % EROFS_BLOCK : size;
}

struct erofs_super {
	uint32_t magic, checksum, feature_compat;
	uint8_t block_bits, extra_slots;
	uint16_t root_nid;
	uint64_t inodes, build_time;
	uint32_t build_time_ns, blocks, meta_block, xattr_block;
	uint8_t uuid[16], volume_name[16];
	uint32_t feature_incompat;
	uint8_t reserved[44];
};
_Static_assert(sizeof(struct erofs_super) == 128, "erofs_fs.h");

enum { EROFS_PLAIN = 0, EROFS_INLINE = 2 }; /* where the data of an inode lies */
#define EROFS_FORMAT(layout) ((uint16_t)(1 | (layout) << 1)) /* 1: extended */

struct erofs_inode {
	uint16_t format, xattr_count, mode, reserved;
	uint64_t size;
	uint32_t place; /* first block of the data, or a device number */
	uint32_t ino, uid, gid;
	int64_t mtime;
	uint32_t mtime_ns, nlink;
	uint8_t reserved2[16];
};
_Static_assert(sizeof(struct erofs_inode) == 64, "erofs_fs.h");

struct erofs_xattr_header {
	uint32_t filter;
	uint8_t shared_count, reserved[7];
};
_Static_assert(sizeof(struct erofs_xattr_header) == 12, "erofs_fs.h");

/* Name and value follow; then zeros to a multiple of 4. */
struct erofs_xattr {
	uint8_t name_len, prefix;
	uint16_t value_size;
};

/* Bytes of the attributes behind an inode with this xattr_count. */
static inline uint32_t erofs_xattr_bytes(uint16_t count)
{
	return count ? (uint32_t)sizeof(struct erofs_xattr_header) + ((uint32_t)count - 1) * 4 : 0;
}

/* A block of a directory: these, sorted by name, then the names one behind the other. */
struct erofs_dirent {
	uint64_t nid;
	uint16_t name_offset;
	uint8_t type, reserved;
} __attribute__((packed));
_Static_assert(sizeof(struct erofs_dirent) == 12, "erofs_fs.h");

enum erofs_type {
	EROFS_REG = 1,
	EROFS_DIR = 2,
	EROFS_CHR = 3,
	EROFS_BLK = 4,
	EROFS_FIFO = 5,
	EROFS_LNK = 7,
};

#endif

/* verity.c - the fs-verity digest of a file: SHA-256, blocks of 4096, no salt */
#include "base/verity.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

#define READ_BYTES (256 << 10)

/* struct fsverity_descriptor of linux/fsverity.h */
struct descriptor {
	uint8_t version, hash_algorithm, log_blocksize, salt_size;
	uint32_t reserved;
	uint64_t data_size;
	uint8_t root_hash[64], salt[32], reserved2[144];
};
_Static_assert(sizeof(struct descriptor) == 256, "linux/fsverity.h");

static void hash_block(const void *block, uint8_t ret[SHA256_BYTES])
{
	struct sha256 s;

	sha256_init(&s);
	sha256_add(&s, block, VERITY_BLOCK);
	sha256_end(&s, ret);
}

void verity_init(struct verity *v)
{
	v->bytes = 0;
	v->fill = 0;
	for (size_t i = 0; i < VERITY_LEVELS; i++)
		v->levels[i].n = 1; /* the one for the end */
}

/* One more hash of this level; a block of it that is full becomes a hash of the next. */
static void add_hash(struct verity *v, size_t level, const uint8_t hash[SHA256_BYTES])
{
	struct verity_level *l = &v->levels[level];
	size_t at = l->n % VERITY_FAN;
	uint8_t above[SHA256_BYTES];

	memcpy((l->n < VERITY_FAN ? l->first : l->now) + at * SHA256_BYTES, hash, SHA256_BYTES);
	l->n++;
	if (at + 1 < VERITY_FAN || l->n == VERITY_FAN)
		return;
	hash_block(l->now, above);
	add_hash(v, level + 1, above);
}

static void add_block(struct verity *v, const void *block)
{
	uint8_t hash[SHA256_BYTES];

	hash_block(block, hash);
	add_hash(v, 0, hash);
}

static void add_zeros(struct verity *v, uint64_t n)
{
	static const uint8_t zeros[VERITY_BLOCK];
	uint8_t hash[SHA256_BYTES];

	hash_block(zeros, hash);
	for (; n >= VERITY_BLOCK; n -= VERITY_BLOCK)
		add_hash(v, 0, hash);
	memset(v->block, 0, n);
	v->fill = n;
}

void verity_add(struct verity *v, const void *data, uint64_t n)
{
	const uint8_t *p = data;

	v->bytes += n;
	if (v->fill || n < VERITY_BLOCK) {
		uint64_t room = VERITY_BLOCK - v->fill, part = n < room ? n : room;

		if (p)
			memcpy(v->block + v->fill, p, part);
		else
			memset(v->block + v->fill, 0, part);
		v->fill += part;
		n -= part;
		p = p ? p + part : NULL;
		if (v->fill < VERITY_BLOCK)
			return;
		add_block(v, v->block);
		v->fill = 0;
	}
	if (!p) {
		add_zeros(v, n);
		return;
	}
	for (; n >= VERITY_BLOCK; n -= VERITY_BLOCK, p += VERITY_BLOCK)
		add_block(v, p);
	memcpy(v->block, p, n);
	v->fill = n;
}

/* The blocks that are not full go up, filled with zeros. */
static void close_levels(struct verity *v)
{
	for (size_t i = 0; i + 1 < VERITY_LEVELS; i++) {
		struct verity_level *l = &v->levels[i];
		size_t n = l->n % VERITY_FAN * SHA256_BYTES;
		uint8_t above[SHA256_BYTES];

		if (l->n < VERITY_FAN)
			memset(l->first + n, 0, VERITY_BLOCK - n);
		if (l->n <= VERITY_FAN || !n)
			continue;
		memset(l->now + n, 0, VERITY_BLOCK - n);
		hash_block(l->now, above);
		add_hash(v, i + 1, above);
	}
}

void verity_end(struct verity *v, const void *first, uint8_t ret[SHA256_BYTES])
{
	struct descriptor d = { .version = 1, .hash_algorithm = 1, .log_blocksize = 12 };
	struct sha256 s;

	if (v->fill) {
		memset(v->block + v->fill, 0, VERITY_BLOCK - v->fill);
		add_block(v, v->block);
	}
	close_levels(v);
	hash_block(first, d.root_hash);
	for (size_t i = 0;
	     i < VERITY_LEVELS && (i == 0 ? v->levels[0].n > 1 : v->levels[i - 1].n > VERITY_FAN); i++) {
		memcpy(v->levels[i].first, d.root_hash, SHA256_BYTES);
		hash_block(v->levels[i].first, d.root_hash);
	}
	d.data_size = VERITY_BLOCK + v->bytes;
	sha256_init(&s);
	sha256_add(&s, &d, sizeof(d));
	sha256_end(&s, ret);
}

int verity_of_file(int fd, uint8_t ret[SHA256_BYTES])
{
	autofree struct verity *v = malloc(sizeof(*v));
	autofree char *data = malloc(READ_BYTES);
	char first[VERITY_BLOCK];
	ssize_t n;
	off_t at = VERITY_BLOCK;

	if (!v || !data)
		return -ENOMEM;
	verity_init(v);
	n = pread(fd, first, sizeof(first), 0);
	if (n != VERITY_BLOCK)
		return n < 0 ? -errno : -EINVAL;
	while ((n = pread(fd, data, READ_BYTES, at)) > 0) {
		verity_add(v, data, (uint64_t)n);
		at += n;
	}
	if (n == 0)
		verity_end(v, first, ret);
	return n < 0 ? -errno : 0;
}

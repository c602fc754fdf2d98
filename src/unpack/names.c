/* names.c - the names of a layer in memory: what is in which directory, and where its inode is */
#include "unpack/names.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "unpack/limits.h"

enum {
	TYPE = 7,
	WHITEOUT = 8,
	DEAD = 16
}; /* of the first byte in front of a text; the second is its length */

struct node {
	uint32_t parent, next, chain, text, place; /* place: slot of the inode, or number of the directory */
};

/* A list that grows by a quarter, so that little of it lies idle. */
struct list {
	void *items;
	uint32_t n, room;
};

struct names {
	struct list nodes, dirs, texts; /* of struct node, struct names_dir, char */
	uint32_t *buckets, n_buckets; /* a power of 2 */
};

static struct node *node_of(const struct names *n, uint32_t name)
{
	return (struct node *)n->nodes.items + name;
}

static unsigned char *text_of(const struct names *n, uint32_t name)
{
	return (unsigned char *)n->texts.items + node_of(n, name)->text;
}

/* --- memory */

static uint64_t bytes_of(const struct names *n)
{
	return (uint64_t)n->nodes.room * sizeof(struct node) + n->texts.room +
	       (uint64_t)n->dirs.room * sizeof(struct names_dir) +
	       (uint64_t)n->n_buckets * sizeof(*n->buckets);
}

/* Room for `more` items of `size` bytes. */
static int grow(struct names *n, struct list *l, size_t size, uint32_t more, struct err *e)
{
	uint32_t room = l->n + more + l->n / 4 + 1024;
	uint64_t left;
	void *items;

	if (l->n + more <= l->room)
		return 0;
	left = bytes_of(n) < NAMES_BYTES_MAX ? NAMES_BYTES_MAX - bytes_of(n) : 0;
	if ((uint64_t)(room - l->room) * size >
	    left) { /* half of it, so that steps get small only at the very end */
		room = l->room + (uint32_t)(left / 2 / size);
		if (room < l->n + more)
			room = l->n + more;
	}
	if (bytes_of(n) + (uint64_t)(room - l->room) * size > NAMES_BYTES_MAX)
		return err_set(e, E2BIG, "the names in the layer take more than %d MiB",
			       (int)(NAMES_BYTES_MAX >> 20));
	items = realloc(l->items, (size_t)room * size);
	if (!items)
		return err_set(e, ENOMEM, "out of memory");
	l->items = items;
	l->room = room;
	return 0;
}

static uint32_t hash(uint32_t dir, const char *text, size_t len)
{
	uint32_t h = 2166136261U ^ dir * 2654435761U; /* FNV-1a */

	for (size_t i = 0; i < len; i++)
		h = (h ^ (unsigned char)text[i]) * 16777619U;
	return h ^ h >> 15;
}

/* Twice the buckets when there are as many names. */
static int rehash(struct names *n, struct err *e)
{
	uint32_t want = n->n_buckets ? n->n_buckets * 2 : 1024, *buckets;

	if (n->nodes.n < n->n_buckets)
		return 0;
	if (bytes_of(n) + (uint64_t)want * sizeof(*buckets) > NAMES_BYTES_MAX)
		return 0; /* the chains become longer */
	buckets = malloc((size_t)want * sizeof(*buckets));
	if (!buckets)
		return err_set(e, ENOMEM, "out of memory");
	free(n->buckets);
	n->buckets = buckets;
	n->n_buckets = want;
	memset(buckets, 0xff, (size_t)want * sizeof(*buckets));
	for (uint32_t i = 1; i < n->nodes.n; i++) {
		const unsigned char *t = text_of(n, i);
		uint32_t b = hash(node_of(n, i)->parent, (const char *)t + 2, t[1]) & (want - 1);

		node_of(n, i)->chain = buckets[b];
		buckets[b] = i;
	}
	return 0;
}

int names_open(struct names **ret, struct err *e)
{
	struct names *n = calloc(1, sizeof(*n));
	int r = n ? rehash(n, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0)
		r = grow(n, &n->nodes, sizeof(struct node), 1, e);
	if (r == 0)
		r = grow(n, &n->texts, 1, 2, e);
	if (r == 0) {
		*node_of(n, n->nodes.n++) = (struct node){ NAMES_ROOT, NAMES_NONE, NAMES_NONE, 0, 0 };
		memset(n->texts.items, 0, 2);
		n->texts.n = 2;
		r = names_set_dir(n, NAMES_ROOT, 0, e);
	}
	if (r < 0) {
		names_close(n);
		return r;
	}
	*ret = n;
	return 0;
}

struct names *names_close(struct names *n)
{
	if (!n)
		return NULL;
	free(n->nodes.items);
	free(n->dirs.items);
	free(n->texts.items);
	free(n->buckets);
	free(n);
	return NULL;
}

/* --- one name */

uint32_t names_find(const struct names *n, uint32_t dir, const char *text, size_t len)
{
	uint32_t i = n->buckets[hash(dir, text, len) & (n->n_buckets - 1)];

	for (; i != NAMES_NONE; i = node_of(n, i)->chain) {
		const unsigned char *t = text_of(n, i);

		if (node_of(n, i)->parent == dir && t[1] == len && !(t[0] & DEAD) &&
		    !memcmp(t + 2, text, len))
			break;
	}
	return i;
}

int names_add(struct names *n, uint32_t dir, const char *text, size_t len, uint32_t *ret, struct err *e)
{
	struct names_dir *d;
	uint32_t i = n->nodes.n, *bucket;
	unsigned char *t;
	int r = grow(n, &n->nodes, sizeof(struct node), 1, e);

	if (r == 0)
		r = grow(n, &n->texts, 1, (uint32_t)len + 2, e);
	if (r == 0)
		r = rehash(n, e);
	if (r < 0)
		return r;
	d = names_dir(n, dir);
	bucket = &n->buckets[hash(dir, text, len) & (n->n_buckets - 1)];
	*node_of(n, i) = (struct node){ dir, d->child, *bucket, n->texts.n, 0 };
	t = text_of(n, i);
	t[0] = 0;
	t[1] = (unsigned char)len;
	memcpy(t + 2, text, len);
	n->texts.n += (uint32_t)len + 2;
	n->nodes.n++;
	d->child = *bucket = i;
	*ret = i;
	return 0;
}

void names_set_file(struct names *n, uint32_t name, enum erofs_type type, bool whiteout, uint32_t slot)
{
	*text_of(n, name) = (unsigned char)(type | (whiteout ? WHITEOUT : 0));
	node_of(n, name)->place = slot;
}

int names_set_dir(struct names *n, uint32_t name, uint32_t record, struct err *e)
{
	int r = grow(n, &n->dirs, sizeof(struct names_dir), 1, e);

	if (r < 0)
		return r;
	((struct names_dir *)n->dirs.items)[n->dirs.n] =
		(struct names_dir){ .name = name, .child = NAMES_NONE, .record = record };
	*text_of(n, name) = EROFS_DIR;
	node_of(n, name)->place = n->dirs.n++;
	return 0;
}

enum erofs_type names_type(const struct names *n, uint32_t name)
{
	return *text_of(n, name) & TYPE;
}

bool names_is_whiteout(const struct names *n, uint32_t name)
{
	return *text_of(n, name) & WHITEOUT;
}

uint32_t names_parent(const struct names *n, uint32_t name)
{
	return node_of(n, name)->parent;
}

uint32_t names_next(const struct names *n, uint32_t name)
{
	return node_of(n, name)->next;
}

size_t names_text(const struct names *n, uint32_t name, const char **ret)
{
	const unsigned char *t = text_of(n, name);

	*ret = (const char *)t + 2;
	return t[1];
}

uint32_t names_slot(const struct names *n, uint32_t name)
{
	const struct names_dir *d = names_dir(n, name);

	return d ? d->slot : node_of(n, name)->place;
}

struct names_dir *names_dir(const struct names *n, uint32_t name)
{
	return names_type(n, name) == EROFS_DIR ? (struct names_dir *)n->dirs.items + node_of(n, name)->place
						: NULL;
}

bool names_is_dead(const struct names *n, uint32_t name)
{
	return *text_of(n, name) & DEAD;
}

void names_kill(struct names *n, uint32_t name)
{
	*text_of(n, name) |= DEAD;
}

/* --- all of them */

struct names_dir *names_dir_at(const struct names *n, uint32_t *at)
{
	while (*at < n->dirs.n) {
		struct names_dir *d = (struct names_dir *)n->dirs.items + (*at)++;

		if (!names_is_dead(n, d->name) && names_dir(n, d->name) == d)
			return d;
	}
	return NULL;
}

int names_compare(const char *a, size_t n_a, const char *b, size_t n_b)
{
	int r = memcmp(a, b, n_a < n_b ? n_a : n_b);

	return r ? (r > 0) - (r < 0) : (n_a > n_b) - (n_a < n_b);
}

static bool is_before(const struct names *n, uint32_t a, uint32_t b)
{
	const char *text_a, *text_b;
	size_t n_a = names_text(n, a, &text_a), n_b = names_text(n, b, &text_b);

	return names_compare(text_a, n_a, text_b, n_b) < 0;
}

static uint32_t merge(struct names *n, uint32_t a, uint32_t b)
{
	uint32_t first, *end = &first;

	while (a != NAMES_NONE && b != NAMES_NONE) {
		uint32_t *from = is_before(n, a, b) ? &a : &b;

		*end = *from;
		end = &node_of(n, *from)->next;
		*from = *end;
	}
	*end = a != NAMES_NONE ? a : b;
	return first;
}

/* Merge sort from below: runs[i] has 2^i names or none, so nothing but the links is needed. */
void names_sort(struct names *n, struct names_dir *d)
{
	uint32_t runs[32], next;
	size_t n_runs = 0;

	for (uint32_t i = d->child; i != NAMES_NONE; i = next) {
		uint32_t run = i;
		size_t k = 0;

		next = node_of(n, i)->next;
		if (names_is_dead(n, i))
			continue;
		node_of(n, i)->next = NAMES_NONE;
		for (; k < n_runs && runs[k] != NAMES_NONE; k++) {
			run = merge(n, runs[k], run);
			runs[k] = NAMES_NONE;
		}
		if (k == n_runs)
			n_runs++;
		runs[k] = run;
	}
	d->child = NAMES_NONE;
	for (size_t k = 0; k < n_runs; k++)
		d->child = merge(n, runs[k], d->child);
}

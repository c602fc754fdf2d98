/* memory_mac.c - who wrote the saved state of a machine */
#include "engine/memory_mac.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/hmac.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/engine_int.h"

#define KEY_FILE    "memory.key"
#define CHUNK_BYTES (256 << 10)

/* --- the key */

static int make_key(int root, uint8_t ret[HMAC_KEY_BYTES])
{
	autoclose int fd = openat(root, KEY_FILE, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	if (getrandom(ret, HMAC_KEY_BYTES, 0) != HMAC_KEY_BYTES)
		return -EIO;
	return write_full(fd, ret, HMAC_KEY_BYTES) < 0 || fsync(fd) < 0 ? -EIO : 0;
}

/* A key that was being made when the host went down is none, and nothing was made with it. */
static int read_key(struct engine *en, bool make, uint8_t ret[HMAC_KEY_BYTES], struct err *e)
{
	autoclose int root = open(en->root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	AUTO(buf_done) struct buf b = { 0 };
	int r = root < 0 ? -errno : read_file(root, KEY_FILE, HMAC_KEY_BYTES, &b);

	if (r == 0 && b.len != HMAC_KEY_BYTES && make) {
		unlinkat(root, KEY_FILE, 0);
		r = -ENOENT;
	}
	if (r == 0 && b.len == HMAC_KEY_BYTES)
		memcpy(ret, b.data, HMAC_KEY_BYTES);
	else if (r == -ENOENT && make)
		r = make_key(root, ret);
	else if (r == 0)
		r = -EBADMSG;
	return r < 0 ? err_sys(e, -r, "the key of saved memory") : 0;
}

/* --- the mac */

static void add_text(struct hmac *h, const char *text)
{
	hmac_add(h, text, strlen(text) + 1);
}

static int add_file(struct hmac *h, int fd)
{
	autofree char *chunk = malloc(CHUNK_BYTES);
	ssize_t n;

	if (!chunk)
		return -ENOMEM;
	while ((n = read_full(fd, chunk, CHUNK_BYTES)) > 0)
		hmac_add(h, chunk, (size_t)n);
	return (int)n;
}

/* The size of each stands before it, so that no two directories are the same bytes. */
static int add_named(struct hmac *h, int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EBADMSG;
	add_text(h, name);
	hmac_add(h, &st.st_size, sizeof(st.st_size));
	return add_file(h, fd);
}

static int add_directory(struct hmac *h, int dir)
{
	AUTO(strv_done) struct strv names = { 0 };
	int r = list_dir(dir, &names);

	for (size_t i = 0; i < names.n && r == 0; i++)
		r = add_named(h, dir, names.v[i]);
	return r;
}

static int add_state(struct hmac *h, int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	return S_ISDIR(st.st_mode) ? add_directory(h, fd) : add_file(h, fd);
}

static int compute(const uint8_t key[HMAC_KEY_BYTES], const struct snapshot *s, int state_fd,
		   uint8_t ret[SHA256_BYTES])
{
	const struct snapshot_memory *m = &s->memory;
	struct hmac h;
	int r;

	hmac_init(&h, key);
	add_text(&h, m->format);
	hmac_add(&h, s->id, strlen(s->id));
	hmac_add(&h, &m->ram_bytes, sizeof(m->ram_bytes));
	if (m->program) {
		add_text(&h, m->program);
		hmac_add(&h, &m->tsc_khz, sizeof(m->tsc_khz));
	}
	if (m->host)
		add_text(&h, m->host);
	r = add_state(&h, state_fd);
	hmac_end(&h, ret);
	return r;
}

int memory_mac_write(struct engine *en, const struct snapshot *s, int dir, int state_fd, struct err *e)
{
	uint8_t key[HMAC_KEY_BYTES], mac[SHA256_BYTES];
	int r = read_key(en, true, key, e);

	if (r < 0)
		return r;
	r = compute(key, s, state_fd, mac);
	explicit_bzero(key, sizeof(key));
	if (r == 0)
		r = write_file_atomic(dir, "mac", 0600, mac, sizeof(mac));
	return r < 0 ? err_sys(e, -r, "the saved state") : 0;
}

int memory_mac_check(struct engine *en, const struct snapshot *s, int dir, int state_fd, struct err *e)
{
	uint8_t key[HMAC_KEY_BYTES], want[SHA256_BYTES];
	AUTO(buf_done) struct buf mac = { 0 };
	int r = read_key(en, false, key, e);

	if (r < 0)
		return r;
	r = read_file(dir, "mac", SHA256_BYTES, &mac);
	if (r == 0)
		r = compute(key, s, state_fd, want);
	explicit_bzero(key, sizeof(key));
	if (r < 0)
		return err_sys(e, -r, "snapshot %s: its saved state", s->name);
	if (mac.len != SHA256_BYTES || hmac_differ((const uint8_t *)mac.data, want))
		return err_set(e, EBADMSG,
			       "snapshot %s: its saved state was not written by this store, or is damaged",
			       s->name);
	return 0;
}

/* seccomp.c - the door: key, cache, compile */
#include "seccomp/seccomp.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "seccomp/cache.h"
#include "seccomp/compile.h"
#include "seccomp/embedded.h"
#include "seccomp/profile.h"

#define FILTER_MAX    (BPF_MAXINSNS * sizeof(struct sock_filter))
#define DIGEST_PREFIX "sha256:"

struct source {
	const char *name; /* borrowed */
	struct buf text; /* empty: the built-in profile */
	char digest[SHA256_HEX];
};

static void source_done(struct source *s)
{
	buf_done(&s->text);
}

static int read_source(const char *profile, struct source *ret, struct err *e)
{
	int r;

	if (!strcmp(profile, "default")) {
		memcpy(ret->digest, embedded_profile_digest, SHA256_HEX);
		return 0;
	}
	r = read_file(AT_FDCWD, profile, PROFILE_MAX_BYTES, &ret->text);
	if (r < 0)
		return err_sys(e, -r, "seccomp profile %s", profile);
	sha256_hex(ret->text.data, ret->text.len, ret->digest);
	return 0;
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The capabilities count as a set: their order must not make another key. */
static int add_caps(struct sha256 *h, const struct strv *caps)
{
	AUTO(strv_done) struct strv sorted = { 0 };
	int r = strv_copy(&sorted, caps);

	if (r < 0)
		return r;
	if (sorted.n)
		qsort(sorted.v, sorted.n, sizeof(*sorted.v), by_text);
	for (size_t i = 0; i < sorted.n; i++)
		sha256_add(h, sorted.v[i], strlen(sorted.v[i]) + 1);
	return 0;
}

static int make_key(const struct source *s, const struct strv *caps, const char *release,
		    char ret[SHA256_HEX])
{
	unsigned kernel[2];
	struct sha256 h;

	if (profile_kernel_version(release, &kernel[0], &kernel[1]) < 0)
		return -EINVAL;
	cache_key_init(&h, "file");
	sha256_add(&h, s->digest, SHA256_HEX);
	sha256_add(&h, kernel, sizeof(kernel));
	if (add_caps(&h, caps) < 0)
		return -ENOMEM;
	cache_key_end(&h, ret);
	return 0;
}

int seccomp_build(const struct buf *profile, const struct strv *caps, const char *kernel_release,
		  struct buf *ret, struct err *e)
{
	AUTO(profile_done) struct profile p = { 0 };
	AUTO(rules_done) struct rules rs = { 0 };
	const struct rule_facts facts = { .caps = caps, .kernel_release = kernel_release };
	int r;

	if (profile)
		r = profile_parse(profile->data, profile->len, PROFILE_FILE, &p, e);
	else
		r = profile_parse(embedded_profile, embedded_profile_len, PROFILE_FILE, &p, e);
	if (r == 0)
		r = rules_make(&p, &facts, &rs, e);
	if (r == 0 && rs.asked.default_action == SECCOMP_RET_ALLOW && rs.asked.n == 0)
		return err_set(e, EINVAL, "the profile refuses nothing; say seccomp=unconfined for that");
	return r == 0 ? seccomp_compile(&rs, ret, e) : r;
}

/* A filter's file is the program alone. */
static int check_program(const struct buf *b)
{
	return b->len && b->len <= FILTER_MAX && b->len % sizeof(struct sock_filter) == 0 ? 0 : -EBADMSG;
}

static int open_named(int dir, const char *name)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = cache_get_named(dir, name, &b);

	if (fd < 0)
		return fd;
	return check_program(&b) < 0 ? -EBADMSG : take_fd(&fd);
}

static int open_cached(int dir, const char *key, char ret_name[CACHE_NAME])
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int fd = cache_get(dir, key, ret_name, &b);

	if (fd < 0)
		return fd;
	return check_program(&b) < 0 ? -EBADMSG : take_fd(&fd);
}

static int build_and_store(int dir, const char *key, const struct source *s, const struct rule_facts *f,
			   char ret_name[CACHE_NAME], struct err *e)
{
	AUTO(buf_done) struct buf program = { 0 };
	int r = seccomp_build(s->text.data ? &s->text : NULL, f->caps, f->kernel_release, &program, e);

	if (r < 0)
		return err_wrap(e, r, "seccomp profile %s", s->name);
	r = cache_put(dir, key, &program, ret_name);
	if (r == 0)
		r = open_named(dir, ret_name);
	return r < 0 ? err_sys(e, -r, "cannot keep a seccomp filter") : r;
}

static int open_dir(const char *cache_dir, struct err *e)
{
	int dir = cache_open_dir(cache_dir);

	return dir < 0 ? err_sys(e, -dir, "%s", cache_dir) : dir;
}

int seccomp_filter_open(const char *cache_dir, const char *profile, const struct strv *caps,
			char **ret_digest, int *ret_fd, struct err *e)
{
	AUTO(source_done) struct source s = { .name = profile };
	autoclose int dir = -1, fd = -1;
	char key[SHA256_HEX], name[CACHE_NAME];
	struct utsname u;
	int r;

	r = read_source(profile, &s, e);
	if (r < 0)
		return r;
	if (uname(&u) < 0 || make_key(&s, caps, u.release, key) < 0)
		return err_set(e, EINVAL, "seccomp: cannot tell the kernel's version");
	dir = open_dir(cache_dir, e);
	if (dir < 0)
		return dir;
	fd = open_cached(dir, key, name);
	if (fd < 0) {
		const struct rule_facts f = { .caps = caps, .kernel_release = u.release };

		fd = build_and_store(dir, key, &s, &f, name, e);
		if (fd < 0)
			return fd;
	}
	*ret_digest = str_printf(DIGEST_PREFIX "%.*s", SHA256_HEX - 1, name);
	if (!*ret_digest)
		return err_set(e, ENOMEM, "out of memory");
	*ret_fd = take_fd(&fd);
	return 0;
}

int seccomp_filter_reopen(const char *cache_dir, const char *digest, struct err *e)
{
	autofree char *name = NULL;
	autoclose int dir = -1;
	uint8_t bytes[SHA256_BYTES];
	int fd;

	if (strncmp(digest, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) ||
	    hex_decode(digest + strlen(DIGEST_PREFIX), SHA256_BYTES, bytes) < 0)
		return err_set(e, EINVAL, "not the digest of a seccomp filter: %.80s", digest);
	name = str_printf("%s.bpf", digest + strlen(DIGEST_PREFIX));
	if (!name)
		return err_set(e, ENOMEM, "out of memory");
	dir = open_dir(cache_dir, e);
	if (dir < 0)
		return dir;
	fd = open_named(dir, name);
	if (fd == -EBADMSG)
		return err_set(e, EBADMSG, "%s/%s is damaged", cache_dir, name);
	return fd < 0 ? err_sys(e, -fd, "%s/%s", cache_dir, name) : fd;
}

/* oci.c - the OCI runtime's door: key, cache, compile
 *
 * A cache hit parses nothing: flags and listener are kept with the program.
 */
#include "seccomp/oci.h"

#include <errno.h>
#include <linux/seccomp.h>
#include <string.h>

#include "base/auto.h"
#include "seccomp/cache.h"
#include "seccomp/compile.h"
#include "seccomp/profile.h"
#include "seccomp/words.h"

#define CACHE_NAMES_MAX 1000 /* two for each profile; callers have a handful */

/* The head of a cache file.  Behind it: path, metadata, program. */
struct head {
	uint32_t flags;
	uint32_t path_len, metadata_len; /* 0: none */
	uint32_t program_len;
};

void seccomp_oci_done(struct seccomp_oci *s)
{
	buf_done(&s->program);
	free(s->listener_path);
	free(s->listener_metadata);
	*s = (struct seccomp_oci){ 0 };
}

/* --- to and from a cache file */

static void pack(const struct seccomp_oci *s, struct buf *ret)
{
	const char *path = s->listener_path ? s->listener_path : "";
	const char *metadata = s->listener_metadata ? s->listener_metadata : "";
	const struct head h = {
		.flags = s->flags,
		.path_len = (uint32_t)strlen(path),
		.metadata_len = (uint32_t)strlen(metadata),
		.program_len = (uint32_t)s->program.len,
	};

	buf_add(ret, &h, sizeof(h));
	buf_adds(ret, path);
	buf_adds(ret, metadata);
	buf_add(ret, s->program.data, s->program.len);
}

static char *take_text(const char **p, uint32_t n)
{
	char *s = n ? strndup(*p, n) : NULL;

	*p += n;
	return s;
}

static int unpack(const struct buf *b, struct seccomp_oci *ret)
{
	struct head h;
	const char *p = b->data + sizeof(h);

	if (b->len < sizeof(h))
		return -EBADMSG;
	memcpy(&h, b->data, sizeof(h));
	if (!h.program_len || h.program_len % sizeof(struct sock_filter) ||
	    (uint64_t)sizeof(h) + h.path_len + h.metadata_len + h.program_len != b->len)
		return -EBADMSG;
	ret->flags = h.flags;
	ret->listener_path = take_text(&p, h.path_len);
	ret->listener_metadata = take_text(&p, h.metadata_len);
	buf_add(&ret->program, p, h.program_len);
	return buf_ok(&ret->program) && !ret->listener_path == !h.path_len &&
			       !ret->listener_metadata == !h.metadata_len
		       ? 0
		       : -ENOMEM;
}

/* --- compiling */

static uint32_t flags_of(const struct profile *p)
{
	uint32_t flags = 0, flag;

	for (size_t i = 0; i < p->flags.n; i++)
		if (word_flag(p->flags.v[i], &flag) == 0)
			flags |= flag;
	if (profile_has_action(p, SECCOMP_RET_USER_NOTIF))
		return flags | SECCOMP_FILTER_FLAG_NEW_LISTENER;
	return flags & ~WORD_FLAG_WAIT_KILLABLE; /* which the kernel wants with a listener only */
}

static char *take_unless_empty(char **s)
{
	return *s && **s ? take_ptr(*s) : NULL;
}

static int compile(const char *json, struct seccomp_oci *ret, struct err *e)
{
	AUTO(profile_done) struct profile p = { 0 };
	AUTO(rules_done) struct rules rs = { 0 };
	struct strv no_caps = { 0 };
	const struct rule_facts facts = { .caps = &no_caps, .kernel_release = "", .all_abis = true };
	struct err why = { 0 };
	int r;

	if (*json != '{')
		return err_set(e, EINVAL, "linux.seccomp: not an object");
	r = profile_parse(json, strlen(json), PROFILE_OCI, &p, &why);
	if (r < 0)
		return err_set(e, -r, "linux.seccomp.%s", why.msg);
	r = rules_make(&p, &facts, &rs, e);
	if (r == 0)
		r = seccomp_compile(&rs, &ret->program, e);
	if (r < 0)
		return err_wrap(e, r, "linux.seccomp");
	ret->flags = flags_of(&p);
	ret->listener_path = take_unless_empty(&p.listener_path);
	ret->listener_metadata = take_unless_empty(&p.listener_metadata);
	return 0;
}

/* --- the cache */

static int open_cache(const char *cache_dir, const char *json, char ret_key[SHA256_HEX])
{
	struct sha256 h;

	if (!cache_dir)
		return -ENOENT;
	cache_key_init(&h, "oci");
	sha256_add(&h, json, strlen(json));
	cache_key_end(&h, ret_key);
	return cache_open_dir(cache_dir);
}

static int find(int dir, const char *key, struct seccomp_oci *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	char name[CACHE_NAME];
	autoclose int fd = cache_get(dir, key, name, &b);
	int r = fd < 0 ? fd : unpack(&b, ret);

	if (r < 0)
		seccomp_oci_done(ret);
	return r;
}

/* Metadata is often the container's own: each would leave a file that nobody asks for again. */
static void keep(int dir, const char *key, const struct seccomp_oci *s)
{
	AUTO(buf_done) struct buf b = { 0 };
	char name[CACHE_NAME];

	if (s->listener_metadata)
		return;
	pack(s, &b);
	cache_limit(dir, CACHE_NAMES_MAX);
	if (buf_ok(&b) && b.len <= CACHE_FILE_MAX)
		cache_put(dir, key, &b, name); /* a failure costs the next start some ms */
}

int seccomp_oci_build(const char *cache_dir, const char *json, struct seccomp_oci *ret, struct err *e)
{
	AUTO(seccomp_oci_done) struct seccomp_oci s = { 0 };
	char key[SHA256_HEX];
	autoclose int dir = open_cache(cache_dir, json, key);
	int r;

	if (dir < 0 || find(dir, key, &s) < 0) {
		r = compile(json, &s, e);
		if (r < 0)
			return r;
		if (dir >= 0)
			keep(dir, key, &s);
	}
	*ret = s;
	s = (struct seccomp_oci){ 0 };
	return 0;
}

/* test_chunks.c - files are cut into chunks and put together again: the same bytes, the same holes; what is damaged is refused */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "unpack/hash.h"
#include "unpack/job.h"

#define DISK_BYTES (5 * (off_t)CHUNK_BYTES + 12345)

struct rig {
	char dir[32];
	int root, from, blobs, to, null;
	struct job_request rq;
	struct job_message m;
};

static int setup(void **state)
{
	struct rig *g = calloc(1, sizeof(*g));

	assert_int_equal(hash_init(), 0);
	strcpy(g->dir, "/tmp/test-chunks-XXXXXX");
	assert_non_null(mkdtemp(g->dir));
	g->root = open(g->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	g->from = mkdir_open(g->root, "from", 0700);
	g->blobs = mkdir_open(g->root, "blobs", 0700);
	g->to = mkdir_open(g->root, "to", 0700);
	g->null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	assert_true(g->from >= 0 && g->blobs >= 0 && g->to >= 0 && g->null >= 0);
	*state = g;
	return 0;
}

static int teardown(void **state)
{
	struct rig *g = *state;

	json_done(&job_message_table, &g->m);
	auto_close(&g->from);
	auto_close(&g->blobs);
	auto_close(&g->to);
	auto_close(&g->root);
	auto_close(&g->null);
	remove_tree(AT_FDCWD, g->dir);
	free(g);
	return 0;
}

static void put(struct rig *g, const char *name, off_t size, const char *text, off_t at)
{
	autoclose int fd = openat(g->from, name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	if (size)
		assert_int_equal(ftruncate(fd, size), 0);
	assert_int_equal(pwrite_full(fd, text, strlen(text), at), 0);
}

/* A disk with something at its begin, in its third chunk (twice the same there and in the fifth) and at its end; a state. */
static void cut(struct rig *g)
{
	struct job job = { .request = &g->rq,
			   .stage_fd = g->blobs,
			   .input_fd = g->from,
			   .answer_fd = g->null,
			   .answer = &g->m };
	struct err e = { 0 };

	put(g, "disk", DISK_BYTES, "begin", 0);
	put(g, "disk", 0, "same", 2 * (off_t)CHUNK_BYTES + 70000);
	put(g, "disk", 0, "same", 4 * (off_t)CHUNK_BYTES + 70000);
	put(g, "disk", 0, "end", DISK_BYTES - 3);
	put(g, "state", 0, "a state", 0);
	if (job_cut(&job, &e) < 0)
		fail_msg("%s", e.msg);
}

static int join(struct rig *g, struct err *e)
{
	struct job job = { .request = &g->rq,
			   .stage_fd = g->to,
			   .input_fd = g->blobs,
			   .answer_fd = g->null,
			   .answer = &g->m };

	*e = (struct err){ 0 };
	g->rq.chunked = g->m.chunked; /* borrows */
	return job_join(&job, e);
}

static void same(struct rig *g, const char *name)
{
	AUTO(buf_done) struct buf a = { 0 }, b = { 0 };

	assert_int_equal(read_file(g->from, name, 64 << 20, &a), 0);
	assert_int_equal(read_file(g->to, name, 64 << 20, &b), 0);
	assert_int_equal(a.len, b.len);
	assert_memory_equal(a.data, b.data, a.len);
}

static void what_was_cut_is_joined_to_the_same(void **state)
{
	struct rig *g = *state;
	AUTO(strv_done) struct strv names = { 0 };
	struct stat st;
	struct err e;

	cut(g);
	assert_int_equal(g->m.chunked.bytes[CHUNKED_DISK], DISK_BYTES);
	assert_int_equal(g->m.chunked.bytes[CHUNKED_RAM], 0);
	assert_int_equal(g->m.chunked.chunks.n,
			 5); /* of six of the disk two are zeroes; and one of the state */
	assert_int_equal(list_dir(g->blobs, &names), 0);
	assert_int_equal(names.n, 4); /* two hold the same */
	assert_int_equal(join(g, &e), 0);
	same(g, "disk");
	same(g, "state");
	assert_int_equal(faccessat(g->to, "ram", F_OK, 0), -1);
	assert_int_equal(fstatat(g->to, "disk", &st, 0), 0);
	assert_true(st.st_blocks * 512 < 1 << 20); /* pages that are zeroes are holes */
}

static void damage(struct rig *g, size_t chunk, off_t at)
{
	char hex[DIGEST_HEX], byte = 0;
	autoclose int fd = -1;
	struct chunk k;

	assert_int_equal(chunk_parse(g->m.chunked.chunks.v[chunk], &k), 0);
	digest_hex(&k.blob, hex);
	fd = openat(g->blobs, hex, O_RDWR | O_CLOEXEC);
	assert_true(fd >= 0 && pread(fd, &byte, 1, at) == 1);
	byte ^= 4;
	assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

static void each_flipped_byte_of_a_blob_is_found(void **state)
{
	struct rig *g = *state;
	struct chunk k;
	struct err e;

	cut(g);
	assert_int_equal(chunk_parse(g->m.chunked.chunks.v[0], &k), 0);
	for (off_t at = 0; at < (off_t)k.size; at += 7) {
		damage(g, 0, at);
		assert_int_equal(join(g, &e), -EBADMSG);
		assert_non_null(strstr(e.msg, "wrong digest"));
		damage(g, 0, at); /* back */
	}
	assert_int_equal(join(g, &e), 0);
}

/* The Nth chunk is another text; the list is within its limits. */
static void say(struct rig *g, size_t n, const struct chunk *k)
{
	struct chunked one = { .bytes = { 0 } };

	assert_int_equal(chunk_add(&one, k), 0);
	free(g->m.chunked.chunks.v[n]);
	g->m.chunked.chunks.v[n] = take_ptr(one.chunks.v[0]);
	free(one.chunks.v);
}

static void a_list_that_lies_is_found(void **state)
{
	struct rig *g = *state;
	struct chunk k, was;
	struct err e;

	cut(g);
	assert_int_equal(chunk_parse(g->m.chunked.chunks.v[0], &was), 0);
	k = was;
	k.plain.sha256[0] ^= 1;
	say(g, 0, &k);
	assert_int_equal(join(g, &e), -EBADMSG);
	assert_non_null(strstr(e.msg, "other bytes"));
	k = was;
	k.size--;
	say(g, 0, &k);
	assert_int_equal(join(g, &e), -EBADMSG);
	k = was;
	k.blob.sha256[0] ^= 1;
	say(g, 0, &k);
	assert_int_equal(join(g, &e), -ENOENT);
	/* a whole chunk in the place of the last one, which is shorter */
	k = was;
	k.at = 5 * (uint64_t)CHUNK_BYTES;
	say(g, 0, &was);
	say(g, 3, &k);
	assert_int_equal(join(g, &e), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_was_cut_is_joined_to_the_same, setup, teardown),
		cmocka_unit_test_setup_teardown(each_flipped_byte_of_a_blob_is_found, setup, teardown),
		cmocka_unit_test_setup_teardown(a_list_that_lies_is_found, setup, teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

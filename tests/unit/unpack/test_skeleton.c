/* test_skeleton.c - archives are made again from a layer and its skeleton, however they were cut into pieces */
#include "../cm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "unpack/tar.h"

/* Bytes in pieces of one size. */
struct pieces {
	struct source source;
	const char *data;
	size_t left, size;
	char *piece; /* of its own, so that what is read behind its end is seen */
};

static ssize_t pieces_read(struct source *s, const void **ret, struct err *e)
{
	struct pieces *p = (struct pieces *)s;
	size_t n = p->left < p->size ? p->left : p->size;

	free(p->piece);
	p->piece = malloc(n + 1);
	memcpy(p->piece, p->data, n);
	*ret = p->piece;
	p->data += n;
	p->left -= n;
	return (ssize_t)n;
}

static void pieces_free(struct source *s)
{
	free(((struct pieces *)s)->piece);
	free(s);
}

static struct source *in_pieces(const struct buf *b, size_t size)
{
	static const struct source_ops ops = { pieces_read, pieces_free };
	struct pieces *p = calloc(1, sizeof(*p));

	p->source.ops = &ops;
	p->data = b->data;
	p->left = b->len;
	p->size = size;
	return &p->source;
}

/* Reads it all. */
static int collect(struct source *s, struct buf *ret, struct err *e)
{
	const void *data;
	ssize_t n;

	while ((n = source_read(s, &data, e)) > 0)
		buf_add(ret, data, (size_t)n);
	source_free(s);
	return (int)n;
}

struct layer {
	char dir[32];
	int dir_fd, fd, skeleton_fd; /* fd: the file or the directory */
	uint64_t tar_bytes;
	bool lost;
};

static void layer_done(struct layer *l)
{
	close(l->fd);
	close(l->skeleton_fd);
	close(l->dir_fd);
	remove_tree(AT_FDCWD, l->dir);
}

static int unpack(const struct buf *tar, bool erofs, size_t piece, struct layer *l)
{
	struct source *s = in_pieces(tar, piece);
	struct skeleton *skeleton = NULL;
	struct tree *tree = NULL;
	struct err e = { 0 };
	bool complete;
	int r;

	*l = (struct layer){ .dir = "/tmp/skeleton-XXXXXX",
			     .skeleton_fd = memfd_create("skeleton", MFD_CLOEXEC) };
	assert_non_null(mkdtemp(l->dir));
	l->dir_fd = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(l->dir_fd, "tree", 0755), 0);
	l->fd = erofs ? openat(l->dir_fd, "layer", O_RDWR | O_CREAT | O_CLOEXEC, 0600)
		      : openat(l->dir_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = erofs ? tree_open_erofs(l->fd, l->dir_fd, &tree, &e) : tree_open_dir(l->fd, l->dir_fd, &tree, &e);
	assert_int_equal(r, 0);
	assert_int_equal(skeleton_open(l->skeleton_fd, &skeleton, &e), 0);
	r = tar_unpack(s, &(const struct tar_into){ tree, skeleton }, &complete, &e);
	if (r == 0)
		assert_int_equal(skeleton_end(skeleton, &l->tar_bytes, &e), 0);
	l->lost = tree_has_lost(tree);
	skeleton_close(skeleton);
	tree_close(tree);
	source_free(s);
	assert_int_equal(lseek(l->skeleton_fd, 0, SEEK_SET), 0);
	return r;
}

static struct source *again(const struct layer *l)
{
	return source_skeleton(source_decode(source_file(l->skeleton_fd, 0, -1)), l->fd);
}

/* 1: it came out the same; 0: it was refused, or nothing was promised of it. */
static int round_trip(const struct buf *tar, bool erofs, size_t piece)
{
	AUTO(buf_done) struct buf out = { 0 };
	struct err e = { 0 };
	struct layer l;
	int r = unpack(tar, erofs, piece, &l);

	if (r == 0 && !l.lost) {
		assert_int_equal(collect(again(&l), &out, &e), 0);
		assert_int_equal(out.len, tar->len);
		assert_int_equal(l.tar_bytes, tar->len);
		assert_memory_equal(out.data, tar->data, tar->len);
	}
	assert_false(erofs && l.lost);
	layer_done(&l);
	return r == 0 && !l.lost;
}

static int every_seed(bool erofs, const size_t *sizes)
{
	DIR *d = opendir(SEEDS_DIR);
	struct dirent *de;
	int n = 0;

	assert_non_null(d);
	while ((de = readdir(d))) {
		AUTO(buf_done) struct buf text = { 0 }, tar = { 0 };
		struct err e = { 0 };

		if (*de->d_name == '.')
			continue;
		assert_int_equal(read_file(dirfd(d), de->d_name, 1 << 20, &text), 0);
		if (collect(source_decode(source_memory(text.data, text.len)), &tar, &e) == 0)
			for (size_t i = 0; sizes[i]; i++)
				n += round_trip(&tar, erofs, sizes[i]);
	}
	closedir(d);
	return n;
}

static void a_file_gives_the_same_archive_in_pieces_of_any_size(void **state)
{
	static const size_t sizes[] = { 1, 7, 511, 512, 513, 5000, 1 << 20, 0 };

	assert_true(every_seed(true, sizes) >= 7 * 7);
}

static void a_directory_too_unless_a_name_was_replaced(void **state)
{
	static const size_t sizes[] = { 513, 1 << 20, 0 };

	if (geteuid() != 0) {
		print_message("skipped: only root makes such trees\n");
		skip();
	}
	assert_true(every_seed(false, sizes) >= 2 * 4);
}

static int rebuild(const char *steps, size_t n, const struct layer *l, struct buf *ret)
{
	AUTO(buf_done) struct buf all = { 0 };
	struct err e = { 0 };

	buf_adds(&all, SKELETON_MAGIC);
	buf_add(&all, steps, n);
	return collect(source_skeleton(in_pieces(&all, 3), l->fd), ret, &e);
}

/* Numbers are length << 2 | kind: 0 RAW, 1 CONTENT, 2 HOLE, 3 FILE. */
static void damaged_steps_are_refused(void **state)
{
	static const struct {
		const char *steps;
		size_t n;
		int want;
	} cases[] = {
		{ "", 0, 0 },
		{ "\x0c"
		  "abc",
		  4, 0 }, /* 3 bytes of RAW */
		{ "\x10"
		  "abc",
		  4, -EBADMSG }, /* 4 bytes, and one is missing */
		{ "\x80", 1, -EBADMSG }, /* half a number */
		{ "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 11, -EBADMSG }, /* more than 64 bits */
		{ "\x05", 1, -EBADMSG }, /* content of no file */
		{ "\x03\x05\x00\x00\x15", 5, 0 }, /* 5 bytes of a file of 5 */
		{ "\x03\x05\x00\x00\x19", 5, -EBADMSG }, /* 6 */
		{ "\x03\x05\x00\x00\x0a\x11", 6, -EBADMSG }, /* 4 behind a hole of 2 */
		{ "\x03\x05\x00\xff\xff\xff\xff\x0f\x05", 9, -EBADMSG }, /* behind the end of the layer */
		{ "\x03\x05", 2, -EBADMSG }, /* half a place */
		{ "\x0f"
		  "abc\x05",
		  5, -EBADMSG }, /* a path into a file */
	};
	AUTO(buf_done) struct buf tar = { 0 };
	struct layer l;

	assert_int_equal(read_file(AT_FDCWD, SEEDS_DIR "/tree", 1 << 20, &tar), 0);
	assert_int_equal(unpack(&tar, true, 1 << 20, &l), 0);
	for (size_t i = 0; i < ARRAY_LEN(cases); i++) {
		AUTO(buf_done) struct buf out = { 0 };
		int r = rebuild(cases[i].steps, cases[i].n, &l, &out);

		if (r != cases[i].want)
			fail_msg("case %zu: %d, not %d", i, r, cases[i].want);
	}
	layer_done(&l);
}

static void no_path_leads_out_of_a_directory(void **state)
{
	static const char *const paths[] = { "../outside", "/etc/passwd", "link", "fifo", "sub", "none" };
	AUTO(buf_done) struct buf tar = { 0 };
	struct layer l;

	assert_int_equal(read_file(AT_FDCWD, SEEDS_DIR "/tree", 1 << 20, &tar), 0);
	if (geteuid() != 0) {
		print_message("skipped: only root makes such trees\n");
		skip();
	}
	assert_int_equal(unpack(&tar, false, 1 << 20, &l), 0);
	assert_int_equal(symlinkat("../outside", l.fd, "link"), 0);
	assert_int_equal(mkfifoat(l.fd, "fifo", 0600), 0);
	assert_int_equal(mkdirat(l.fd, "sub", 0700), 0);
	close(openat(l.dir_fd, "outside", O_WRONLY | O_CREAT, 0600));
	for (size_t i = 0; i < ARRAY_LEN(paths); i++) {
		AUTO(buf_done) struct buf steps = { 0 }, out = { 0 };

		buf_addc(&steps, (char)(strlen(paths[i]) << 2 | SKELETON_FILE));
		buf_adds(&steps, paths[i]);
		buf_addc(&steps, 1 << 2 | SKELETON_CONTENT);
		assert_true(rebuild(steps.data, steps.len, &l, &out) < 0);
	}
	layer_done(&l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_gives_the_same_archive_in_pieces_of_any_size),
		cmocka_unit_test(a_directory_too_unless_a_name_was_replaced),
		cmocka_unit_test(damaged_steps_are_refused),
		cmocka_unit_test(no_path_leads_out_of_a_directory),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

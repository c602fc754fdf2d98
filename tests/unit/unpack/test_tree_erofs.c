/* test_tree_erofs.c - layers as EROFS files: every seed of the fuzz target keeps the rules, the same bytes each time */
#include "../cm.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/verity.h"
#include "erofs_check.h"
#include "unpack/names.h"
#include "unpack/tar.h"

struct image {
	int fd;
	unsigned char *data;
	size_t n;
};

static void image_done(struct image *im)
{
	if (im->data)
		munmap(im->data, im->n);
	close(im->fd);
}

static int make(const struct buf *tar, struct image *ret)
{
	autoclose int scratch = open("/tmp", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct source *s = source_decode(source_memory(tar->data, tar->len));
	uint8_t digest[SHA256_BYTES];
	struct tree *tree = NULL;
	struct err e = { 0 };
	bool complete;
	struct stat st;
	int r;

	ret->fd = memfd_create("layer", MFD_CLOEXEC);
	r = tree_open_erofs(ret->fd, scratch, &tree, &e);
	if (r == 0)
		r = tar_unpack(s, &(const struct tar_into){ tree, NULL }, &complete, &e);
	if (r == 0) {
		assert_int_equal(verity_of_file(ret->fd, digest), 0);
		assert_memory_equal(digest, tree_verity(tree), SHA256_BYTES);
	}
	tree_close(tree);
	source_free(s);
	assert_int_equal(fstat(ret->fd, &st), 0);
	ret->n = (size_t)st.st_size;
	ret->data = ret->n ? mmap(NULL, ret->n, PROT_READ | PROT_WRITE, MAP_PRIVATE, ret->fd, 0) : NULL;
	return r;
}

static void every_seed_keeps_the_rules_and_gives_the_same_bytes(void **state)
{
	DIR *d = opendir(SEEDS_DIR);
	struct dirent *de;
	int n = 0;

	assert_non_null(d);
	while ((de = readdir(d))) {
		AUTO(buf_done) struct buf tar = { 0 };
		struct image a, b;
		const char *rule;
		int r;

		if (*de->d_name == '.')
			continue;
		assert_int_equal(read_file(dirfd(d), de->d_name, 1 << 20, &tar), 0);
		r = make(&tar, &a);
		assert_int_equal(make(&tar, &b), r);
		if (r < 0) { /* some seeds are refused late */
			image_done(&a);
			image_done(&b);
			continue;
		}
		rule = erofs_check(a.data, a.n);
		if (rule)
			fail_msg("%s: %s", de->d_name, rule);
		assert_int_equal(a.n, b.n);
		assert_memory_equal(a.data, b.data, a.n);
		image_done(&a);
		image_done(&b);
		n++;
	}
	closedir(d);
	assert_true(n >= 7);
}

/* The checker would see it: each bit of the block that has the root's inode and names, but unused space, matters. */
static void a_changed_bit_of_the_metadata_is_seen(void **state)
{
	AUTO(buf_done) struct buf tar = { 0 };
	struct erofs_super s;
	size_t seen = 0, root;
	struct image im;

	assert_int_equal(read_file(AT_FDCWD, SEEDS_DIR "/tree", 1 << 20, &tar), 0);
	assert_int_equal(make(&tar, &im), 0);
	memcpy(&s, im.data + EROFS_SUPER_OFFSET, sizeof(s));
	root = (size_t)s.meta_block * EROFS_BLOCK + s.root_nid * EROFS_SLOT + sizeof(struct erofs_inode);
	for (size_t i = root; i < root + 24; i++) { /* two entries: number, place and type of each */
		im.data[i] ^= 1;
		seen += erofs_check(im.data, im.n) != NULL;
		im.data[i] ^= 1;
	}
	assert_true(seen >=
		    20); /* all but the reserved byte of each, and some whose change is another truth */
	assert_null(erofs_check(im.data, im.n));
	image_done(&im);
}

static void names_are_found_sorted_and_dead_when_replaced(void **state)
{
	static const char *const words[] = { "b", "a", "ab", "", "B", "a.", "zz", "a/b" };
	const char *text, *before = "";
	struct names *n = NULL;
	uint32_t name, count = 0;
	struct err e = { 0 };

	assert_int_equal(names_open(&n, &e), 0);
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		assert_int_equal(names_add(n, NAMES_ROOT, words[i], strlen(words[i]), &name, &e), 0);
		names_set_file(n, name, EROFS_REG, false, (uint32_t)i);
	}
	for (size_t i = 0; i < ARRAY_LEN(words); i++) {
		name = names_find(n, NAMES_ROOT, words[i], strlen(words[i]));
		assert_int_equal(names_slot(n, name), i);
	}
	names_kill(n, names_find(n, NAMES_ROOT, "zz", 2));
	assert_int_equal(names_find(n, NAMES_ROOT, "zz", 2), NAMES_NONE);
	assert_int_equal(names_find(n, 1, "a", 1), NAMES_NONE);
	names_sort(n, names_dir(n, NAMES_ROOT));
	for (name = names_dir(n, NAMES_ROOT)->child; name != NAMES_NONE; name = names_next(n, name)) {
		size_t len = names_text(n, name, &text);

		assert_true(names_compare(before, strlen(before), text, len) <= 0);
		before = words[names_slot(n, name)];
		count++;
	}
	assert_int_equal(count, ARRAY_LEN(words) - 1);
	names_close(n);
}

static void more_names_than_there_is_memory_for_are_refused(void **state)
{
	struct names *n = NULL;
	char text[255];
	uint32_t name;
	struct err e = { 0 };
	int r = names_open(&n, &e);

	memset(text, 'x', sizeof(text));
	for (unsigned i = 0; r == 0; i++) {
		memcpy(text, &i, sizeof(i));
		r = names_add(n, NAMES_ROOT, text, sizeof(text), &name, &e);
		assert_true(i < 1000000);
	}
	assert_int_equal(r, -E2BIG);
	assert_string_equal(e.msg, "the names in the layer take more than 46 MiB");
	names_close(n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_seed_keeps_the_rules_and_gives_the_same_bytes),
		cmocka_unit_test(a_changed_bit_of_the_metadata_is_seen),
		cmocka_unit_test(names_are_found_sorted_and_dead_when_replaced),
		cmocka_unit_test(more_names_than_there_is_memory_for_are_refused),
	};

	setlocale(LC_CTYPE, "C.UTF-8");
	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_inventory.c - which packages a layer holds, in both forms of trees: what lies there in the end is what counts */
#include "../cm.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "packages/package.h"
#include "unpack/inventory.h"

struct layer {
	char dir[32];
	int dir_fd, fd; /* fd: the file or the directory */
	struct tree *tree;
};

static void layer_open(struct layer *l, bool erofs)
{
	struct err e = { 0 };

	*l = (struct layer){ .dir = "/tmp/inventory-XXXXXX" };
	assert_non_null(mkdtemp(l->dir));
	l->dir_fd = open(l->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(mkdirat(l->dir_fd, "tree", 0755), 0);
	l->fd = erofs ? openat(l->dir_fd, "layer", O_RDWR | O_CREAT | O_CLOEXEC, 0600)
		      : openat(l->dir_fd, "tree", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(erofs ? tree_open_erofs(l->fd, l->dir_fd, &l->tree, &e)
			       : tree_open_dir(l->fd, l->dir_fd, &l->tree, &e),
			 0);
}

static void put(struct layer *l, const struct entry *en, const char *content, size_t n)
{
	struct entry all = *en;
	struct err e = { 0 };

	all.uid = geteuid();
	all.gid = getegid();
	all.mode |= all.mode & 07777 ? 0 : 0644;
	assert_int_equal(tree_put(l->tree, &all, &e), 0);
	if (!S_ISREG(all.mode) || all.hardlink)
		return;
	if (n)
		assert_int_equal(tree_write(l->tree, content, n, 0, &e), 0);
	assert_int_equal(tree_end_file(l->tree, &all, &e), 0);
}

static void file(struct layer *l, const char *path, const char *content)
{
	size_t n = strlen(content);

	put(l, &(const struct entry){ .path = path, .mode = S_IFREG, .size = n }, content, n);
}

/* The inventory; the layer is gone. */
static char *finish(struct layer *l)
{
	struct err e = { 0 };
	struct buf out = { 0 };

	assert_int_equal(tree_finish(l->tree, &e), 0);
	if (inventory_write(l->tree, l->dir_fd, "hex", &e) < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(read_file(l->dir_fd, "packages/hex", INVENTORY_BYTES_MAX + 4096, &out), 0);
	assert_int_equal(faccessat(l->dir_fd, "packages/new", F_OK, 0), -1);
	tree_close(l->tree);
	close(l->fd);
	close(l->dir_fd);
	remove_tree(AT_FDCWD, l->dir);
	return buf_take(&out);
}

static void is_inventory(struct layer *l, const char *want)
{
	autofree char *is = finish(l);

	assert_string_equal(is, want);
}

#define APK(name) "P:" name "\nV:1\n\n"
#define LINE(path, name)                                                                                     \
	"{\"path\":\"" path "\",\"type\":\"apk\",\"packages\":[{\"name\":\"" name "\",\"version\":\"1\"}]}"  \
	"\n"
#define DB  "lib/apk/db/installed"
#define DB2 "usr/lib/apk/db/installed"

static void a_layer_without_such_files_has_an_empty_one(void **state)
{
	for (int erofs = 0; erofs < 2; erofs++) {
		struct layer l;

		layer_open(&l, erofs);
		file(&l, "etc/passwd", "root");
		is_inventory(&l, "");
	}
}

static void files_come_in_the_order_of_their_paths_and_each_once(void **state)
{
	for (int erofs = 0; erofs < 2; erofs++) {
		struct layer l;

		layer_open(&l, erofs);
		file(&l, DB2, APK("b"));
		file(&l, DB, APK("old"));
		file(&l, DB, APK("a"));
		is_inventory(&l, LINE(DB, "a") LINE(DB2, "b"));
	}
}

static void a_hard_link_has_the_content_of_its_file(void **state)
{
	for (int erofs = 0; erofs < 2; erofs++) {
		struct layer l;

		layer_open(&l, erofs);
		file(&l, "elsewhere", APK("a"));
		put(&l, &(const struct entry){ .path = DB, .mode = S_IFREG, .hardlink = "elsewhere" }, NULL,
		    0);
		is_inventory(&l, LINE(DB, "a"));
	}
}

static void what_was_replaced_later_does_not_count(void **state)
{
	for (int erofs = 0; erofs < 2; erofs++) {
		struct layer l;

		layer_open(&l, erofs);
		file(&l, DB, APK("a"));
		file(&l, DB2, APK("b"));
		file(&l, "lib", "no directory any more");
		put(&l, &(const struct entry){ .path = "usr/lib/apk/db", .mode = S_IFLNK, .symlink = "/x" },
		    NULL, 0);
		is_inventory(&l, "{\"path\":\"" DB2
				 "\",\"type\":\"apk\",\"problem\":\"a link is on the way to it\"}\n");
	}
}

/* More than fills the buffers of the tree, with an end that fills no block, and one that is more than a tail. */
static void large_files_are_read_to_their_end(void **state)
{
	for (int i = 0; i < 4; i++) {
		AUTO(buf_done) struct buf text = { 0 };
		autofree char *is = NULL;
		struct layer l;

		while (text.len < 700000)
			buf_adds(&text, "C:Q1\nF:x\n");
		while (text.len % 4096 != (i / 2 ? 4000 : 40))
			buf_addc(&text, '\n');
		buf_adds(&text, APK("last"));
		layer_open(&l, i % 2);
		file(&l, "some/file/before", "x");
		file(&l, DB, text.data);
		file(&l, "some/file/behind", text.data);
		is = finish(&l);
		assert_string_equal(is, LINE(DB, "last"));
	}
}

static void what_cannot_be_read_is_said(void **state)
{
	static const char want[] =
		"{\"path\":\"package-lock.json\",\"type\":\"npm\",\"problem\":\"not JSON at line 1, column "
		"3: a string has no "
		"end\"}\n"
		"{\"path\":\"var/lib/dpkg/status\",\"type\":\"deb\",\"problem\":\"it is too large to be "
		"read\"}\n"
		"{\"path\":\"var/lib/rpm/Packages\",\"type\":\"rpm\",\"problem\":\"rpm's databases of before "
		"SQLite are not "
		"read\"}\n"
		"{\"path\":\"var/lib/rpm/rpmdb.sqlite\",\"type\":\"rpm\",\"problem\":\"it is no database\"}\n"
		"{\"path\":\"var/lib/rpm/rpmdb.sqlite-wal\",\"type\":\"rpm\"}\n"
		"{\"path\":\"x/go.sum\",\"type\":\"golang\",\"problem\":\"1 of its packages have no good "
		"name or "
		"version\",\"packages\":[{\"name\":\"m\",\"version\":\"v1\"}]}\n"
		"{\"path\":\"y/go.sum\",\"type\":\"golang\"}\n";

	for (int erofs = 0; erofs < 2; erofs++) {
		struct layer l;

		layer_open(&l, erofs);
		file(&l, "package-lock.json", "{\"");
		file(&l, "var/lib/rpm/rpmdb.sqlite", "x");
		file(&l, "var/lib/rpm/rpmdb.sqlite-wal", "");
		file(&l, "var/lib/rpm/Packages", "x");
		file(&l, "x/go.sum", "m v1 h1:x\n\303\274 v1 h1:x\n");
		file(&l, "y/go.sum", "");
		put(&l,
		    &(const struct entry){ .path = "var/lib/dpkg/status", .mode = S_IFREG, .size = 32 << 20 },
		    NULL, 0);
		is_inventory(&l, want);
	}
}

static void an_inventory_has_an_end(void **state)
{
	static const char end[] =
		"{\"path\":\"\",\"type\":\"\",\"problem\":\"it has more package databases and lock files "
		"than are read\"}\n";
	char path[4096];
	struct layer l;
	autofree char *is = NULL;
	size_t n;

	layer_open(&l, true);
	memset(path, 'd', sizeof(path));
	for (int i = 0; i < 3000; i++) { /* more paths than are kept */
		for (size_t k = 200; k < 1000; k += 200)
			path[k] = '/';
		snprintf(path + 1000, 100, "%04d/go.sum", i);
		file(&l, path, "m v1 h1:x\n");
	}
	is = finish(&l);
	n = strlen(is);
	assert_true(n > sizeof(end) && n < INVENTORY_BYTES_MAX + 512);
	assert_string_equal(is + n - strlen(end), end);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_layer_without_such_files_has_an_empty_one),
		cmocka_unit_test(files_come_in_the_order_of_their_paths_and_each_once),
		cmocka_unit_test(a_hard_link_has_the_content_of_its_file),
		cmocka_unit_test(what_was_replaced_later_does_not_count),
		cmocka_unit_test(large_files_are_read_to_their_end),
		cmocka_unit_test(what_cannot_be_read_is_said),
		cmocka_unit_test(an_inventory_has_an_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

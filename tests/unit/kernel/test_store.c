/* test_store.c - kernels come into the store, are found, and leave it */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "fake_image.h"
#include "kernel/initramfs.h"
#include "kernel/kernel.h"
#include "kernel/modules.h"

struct place {
	char path[32];
	char *root, *image, *modules;
	int fd;
};

static char *below(const struct place *p, const char *name)
{
	return str_printf("%s/%s", p->path, name);
}

static void put(const struct place *p, const char *name, const void *data, size_t n)
{
	assert_int_equal(write_file_atomic(p->fd, name, 0644, data, n), 0);
}

static void put_image(const struct place *p, const char *name, const char *version)
{
	unsigned char image[FAKE_IMAGE_BYTES];

	fake_image_fill(image, version);
	put(p, name, image, sizeof(image));
}

static void put_module(const struct place *p, const char *dir, const char *module, struct buf *dep)
{
	autofree char *name = str_printf("%s/%s.ko", dir, module);

	put(p, name, "module", 6);
	buf_addf(dep, "%s.ko:\n", module);
}

/* modules/ with every module that a guest wants, all empty. */
static void put_modules(const struct place *p, const char *dir)
{
	AUTO(buf_done) struct buf dep = { 0 };
	autofree char *list = str_printf("%s/modules.dep", dir),
		      *builtin = str_printf("%s/modules.builtin", dir);

	close(mkdir_open(p->fd, dir, 0755));
	for (const struct module_list *l = modules_lists; l->name; l++)
		for (const char *const *m = l->wanted; *m; m++)
			put_module(p, dir, *m, &dep);
	put(p, list, dep.data, dep.len);
	put(p, builtin, "", 0);
}

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->path, "/tmp/ketch-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	p->root = below(p, "root");
	p->image = below(p, "vmlinuz");
	p->modules = below(p, "modules");
	put_image(p, "vmlinuz", "99.1.0-test");
	put_modules(p, "modules");
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->fd);
	remove_tree(AT_FDCWD, p->path);
	free(p->root);
	free(p->image);
	free(p->modules);
	free(p);
	return 0;
}

static void assert_no_staging(const struct place *p)
{
	autofree char *staging = below(p, "root/kernels/.new"), *old = below(p, "root/kernels/.old");

	assert_int_equal(access(staging, F_OK), -1);
	assert_int_equal(access(old, F_OK), -1);
}

static void import_ok(const struct place *p, const char *path, const char *modules, const char *version)
{
	autofree char *got = NULL;
	struct err e = { 0 };

	if (kernel_import(p->root, path, modules, &got, &e) < 0)
		fail_msg("%s", e.msg);
	assert_string_equal(got, version);
	assert_no_staging(p);
}

static void an_imported_kernel_is_found_before_the_hosts(void **state)
{
	struct place *p = *state;
	struct kernel k = { 0 };
	struct err e;

	import_ok(p, p->image, p->modules, "99.1.0-test");
	assert_int_equal(kernel_find(p->root, NULL, &k, &e), 0);
	assert_string_equal(k.version, "99.1.0-test");
	assert_true(k.in_store);
	kernel_done(&k);
	assert_int_equal(kernel_find(p->root, "99.1.0-test", &k, &e), 0);
	kernel_done(&k);
}

static void the_newest_kernel_of_the_store_is_the_default(void **state)
{
	static const char *const versions[] = { "6.1.0-9-a", "6.10.0-1-a", "6.9.12-a", "6.1.0-25-a" };
	struct place *p = *state;
	struct kernel k = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(versions); i++) {
		put_image(p, "vmlinuz", versions[i]);
		import_ok(p, p->image, p->modules, versions[i]);
	}
	assert_int_equal(kernel_find(p->root, NULL, &k, NULL), 0);
	assert_string_equal(k.version, "6.10.0-1-a");
	kernel_done(&k);
}

static void an_import_again_replaces(void **state)
{
	struct place *p = *state;
	autofree char *copy = below(p, "root/kernels/99.1.0-test/vmlinuz");
	struct stat st;

	import_ok(p, p->image, p->modules, "99.1.0-test");
	assert_int_equal(truncate(p->image, 5000), 0);
	import_ok(p, p->image, p->modules, "99.1.0-test");
	assert_int_equal(stat(copy, &st), 0);
	assert_int_equal(st.st_size, 5000);
}

static void what_is_no_kernel_leaves_nothing_behind(void **state)
{
	struct place *p = *state;
	autofree char *text = below(p, "text"), *got = NULL, *kernels = below(p, "root/kernels/99.1.0-test"),
		      *missing = below(p, "missing"), *list = below(p, "modules/modules.dep");
	struct err e = { 0 };

	put(p, "text", "hello", 5);
	assert_int_equal(kernel_import(p->root, text, p->modules, &got, &e), -EINVAL);
	assert_int_equal(kernel_import(p->root, missing, NULL, &got, &e), -ENOENT);
	assert_int_equal(kernel_import(p->root, p->image, missing, &got, &e), -ENOENT);
	assert_int_equal(kernel_import(p->root, p->modules, NULL, &got, &e), -EISDIR);
	put(p, "modules/modules.dep", "", 0);
	assert_int_equal(kernel_import(p->root, p->image, p->modules, &got, &e), -ENOENT);
	assert_non_null(strstr(e.msg, "module"));
	unlink(list);
	assert_int_equal(kernel_import(p->root, p->image, p->modules, &got, &e), -ENOENT);
	assert_int_equal(access(kernels, F_OK), -1);
	assert_no_staging(p);
}

static void a_debian_package_is_taken_without_installing_it(void **state)
{
	static const char control[] = "Package: linux-image-test\nVersion: 1\nArchitecture: amd64\n"
				      "Maintainer: x <x@x>\nDescription: x\n";
	struct place *p = *state;
	autofree char *deb = below(p, "k.deb"), *command = NULL;

	if (access("/usr/bin/dpkg-deb", X_OK) < 0) {
		print_message("skipped: dpkg-deb is not installed\n");
		skip();
	}
	close(mkdir_open(p->fd, "tree/DEBIAN", 0755));
	close(mkdir_open(p->fd, "tree/boot", 0755));
	put(p, "tree/DEBIAN/control", control, strlen(control));
	put_image(p, "tree/boot/vmlinuz-99.2-deb", "99.2-deb");
	close(mkdir_open(p->fd, "tree/usr/lib/modules", 0755));
	put_modules(p, "tree/usr/lib/modules/99.2-deb");
	command = str_printf("dpkg-deb --root-owner-group -b %s/tree %s >/dev/null", p->path, deb);
	assert_int_equal(system(command), 0);
	import_ok(p, deb, NULL, "99.2-deb");
}

static void a_package_without_a_kernel_is_refused(void **state)
{
	static const char *const texts[] = { "!<arch>\nrubbish", "!<arch>\n" };
	struct place *p = *state;
	autofree char *deb = below(p, "bad.deb"), *got = NULL;
	struct err e = { 0 };

	for (size_t i = 0; i < ARRAY_LEN(texts); i++) {
		put(p, "bad.deb", texts[i], strlen(texts[i]));
		assert_true(kernel_import(p->root, deb, NULL, &got, &e) < 0);
		assert_no_staging(p);
	}
}

static void only_imported_kernels_can_be_removed(void **state)
{
	struct place *p = *state;
	struct err e = { 0 };
	struct kernel *v;
	size_t n;

	import_ok(p, p->image, p->modules, "99.1.0-test");
	assert_int_equal(kernel_remove(p->root, "99.1.0-test", &e), 0);
	assert_int_equal(kernel_remove(p->root, "99.1.0-test", &e), -ENOENT);
	assert_int_equal(kernel_remove(p->root, "../..", &e), -ENOENT);
	assert_int_equal(kernel_list(p->root, &v, &n, &e), 0);
	for (size_t i = 0; i < n; i++) {
		assert_false(v[i].in_store);
		assert_int_equal(kernel_remove(p->root, v[i].version, &e), -EPERM);
	}
	kernels_free(v, n);
}

static ino_t initramfs_ino(const struct place *p, const char *guest)
{
	struct kernel k = { 0 };
	struct err e = { 0 };
	struct stat st;
	int fd;

	assert_int_equal(kernel_find(p->root, NULL, &k, &e), 0);
	fd = initramfs_open(p->root, &k, guest, &e);
	kernel_done(&k);
	if (fd < 0)
		fail_msg("%s", e.msg);
	assert_int_equal(fstat(fd, &st), 0);
	close(fd);
	return st.st_ino;
}

static void the_initramfs_is_made_once_for_each_guest_program(void **state)
{
	struct place *p = *state;
	autofree char *guest = below(p, "guest"), *command = NULL;
	ino_t first;

	import_ok(p, p->image, p->modules, "99.1.0-test");
	put(p, "guest", "one", 3);
	first = initramfs_ino(p, guest);
	assert_int_equal(initramfs_ino(p, guest), first);
	put(p, "guest", "two", 3);
	assert_int_not_equal(initramfs_ino(p, guest), first);
	/* the older one is gone */
	command = str_printf("test $(ls %s/root/boot | wc -l) = 1", p->path);
	assert_int_equal(system(command), 0);
}

static void two_makers_of_one_initramfs_do_not_disturb_each_other(void **state)
{
	struct place *p = *state;
	autofree char *guest = below(p, "guest"), *big = calloc(1, 4 << 20);
	int status;
	pid_t pid;

	import_ok(p, p->image, p->modules, "99.1.0-test");
	put(p, "guest", big, 4 << 20);
	pid = fork();
	if (pid == 0)
		_exit(initramfs_ino(p, guest) == 0);
	initramfs_ino(p, guest);
	waitpid(pid, &status, 0);
	assert_int_equal(status, 0);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		TEST(an_imported_kernel_is_found_before_the_hosts),
		TEST(the_newest_kernel_of_the_store_is_the_default),
		TEST(an_import_again_replaces),
		TEST(what_is_no_kernel_leaves_nothing_behind),
		TEST(a_debian_package_is_taken_without_installing_it),
		TEST(a_package_without_a_kernel_is_refused),
		TEST(only_imported_kernels_can_be_removed),
		TEST(the_initramfs_is_made_once_for_each_guest_program),
		TEST(two_makers_of_one_initramfs_do_not_disturb_each_other),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_initramfs.c - the order of modules, and an archive that cpio(1) reads as it was meant */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "kernel/cpio.h"
#include "kernel/modules.h"

struct place {
	char path[32];
	int fd;
};

static int set_up(void **state)
{
	struct place *p = calloc(1, sizeof(*p));

	strcpy(p->path, "/tmp/ketch-test-XXXXXX");
	assert_non_null(mkdtemp(p->path));
	p->fd = open(p->path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct place *p = *state;

	close(p->fd);
	remove_tree(AT_FDCWD, p->path);
	free(p);
	return 0;
}

static void put(const struct place *p, const char *name, const char *text)
{
	assert_int_equal(write_file_atomic(p->fd, name, 0644, text, strlen(text)), 0);
}

static const char dep[] =
	"kernel/fs/fuse/virtiofs.ko: kernel/fs/fuse/fuse.ko kernel/drivers/virtio/virtio.ko\n"
	"kernel/fs/fuse/fuse.ko:\n"
	"kernel/drivers/virtio/virtio.ko:\n"
	"kernel/drivers/char/virtio-rng.ko.xz: kernel/drivers/virtio/virtio.ko\n"
	"kernel/fs/notfuse.ko:\n";

/* --- modules */

static char *resolve(const struct place *p, const char *const *wanted, int *ret_r)
{
	AUTO(strv_done) struct strv got = { 0 };
	struct buf b = { 0 };
	struct err e;

	*ret_r = modules_resolve(p->fd, wanted, &got, &e);
	for (size_t i = 0; i < got.n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", got.v[i]);
	return buf_take(&b);
}

static void dependencies_come_first_and_only_once(void **state)
{
	autofree char *got = NULL;
	int r;

	put(*state, "modules.dep", dep);
	put(*state, "modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	got = resolve(*state, (const char *const[]){ "virtiofs", "virtio_rng", "ext4", NULL }, &r);
	assert_int_equal(r, 0);
	assert_string_equal(
		got, "kernel/drivers/virtio/virtio.ko kernel/fs/fuse/fuse.ko kernel/fs/fuse/virtiofs.ko "
		     "kernel/drivers/char/virtio-rng.ko.xz");
}

static void a_module_that_is_nowhere_is_an_error(void **state)
{
	autofree char *got = NULL;
	int r;

	put(*state, "modules.dep", dep);
	put(*state, "modules.builtin", "");
	got = resolve(*state, (const char *const[]){ "use", NULL }, &r);
	assert_int_equal(r, -ENOENT);
}

static void a_list_that_leads_out_of_its_directory_is_refused(void **state)
{
	static const char *const lists[] = { "a/x.ko: ../../etc/y.ko\n", "/a/x.ko:\n", "../x.ko:\n" };

	put(*state, "modules.builtin", "");
	for (size_t i = 0; i < ARRAY_LEN(lists); i++) {
		autofree char *got = NULL;
		int r;

		put(*state, "modules.dep", lists[i]);
		got = resolve(*state, (const char *const[]){ "x", NULL }, &r);
		assert_int_equal(r, -EINVAL);
	}
}

/* --- cpio */

static void cpio_lists_what_was_written(void **state)
{
	const struct place *p = *state;
	struct cpio c = { 0 };
	char command[128], line[256];
	AUTO(buf_done) struct buf seen = { 0 };
	FILE *f;

	if (access("/usr/bin/cpio", X_OK) < 0) {
		print_message("skipped: cpio is not installed\n");
		skip();
	}
	cpio_add_dir(&c, "dev", 0755);
	cpio_add_char_device(&c, "dev/console", 0600, 5, 1);
	cpio_add_file(&c, "init", 0700, "12345", 5);
	cpio_add_file(&c, "empty", 0644, NULL, 0);
	cpio_finish(&c);
	assert_true(buf_ok(&c.out));
	assert_int_equal(write_file_atomic(p->fd, "a.cpio", 0644, c.out.data, c.out.len), 0);
	buf_done(&c.out);
	snprintf(command, sizeof(command), "cpio -tv --quiet --numeric-uid-gid < %s/a.cpio", p->path);
	f = popen(command, "r");
	while (fgets(line, sizeof(line), f))
		buf_addf(&seen, "%.10s%s", line, strrchr(line, ' '));
	assert_int_equal(pclose(f), 0);
	assert_string_equal(seen.data,
			    "drwxr-xr-x dev\ncrw------- dev/console\n-rwx------ init\n-rw-r--r-- empty\n");
}

static void cpio_gives_back_the_bytes(void **state)
{
	const struct place *p = *state;
	AUTO(buf_done) struct buf back = { 0 };
	struct cpio c = { 0 };
	char command[128];

	if (access("/usr/bin/cpio", X_OK) < 0)
		skip();
	for (size_t n = 0; n < 9; n++) {
		char name[16];

		snprintf(name, sizeof(name), "%.*s", (int)n + 1, "abcdefghij");
		cpio_add_file(&c, name, 0644, "0123456789", n);
	}
	cpio_finish(&c);
	assert_int_equal(write_file_atomic(p->fd, "b.cpio", 0644, c.out.data, c.out.len), 0);
	buf_done(&c.out);
	snprintf(command, sizeof(command), "cd %s && cpio -i --quiet < b.cpio", p->path);
	assert_int_equal(system(command), 0);
	assert_int_equal(read_file(p->fd, "abcdefg", 100, &back), 0);
	assert_string_equal(back.data, "012345");
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(dependencies_come_first_and_only_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_module_that_is_nowhere_is_an_error, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_list_that_leads_out_of_its_directory_is_refused, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(cpio_lists_what_was_written, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cpio_gives_back_the_bytes, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

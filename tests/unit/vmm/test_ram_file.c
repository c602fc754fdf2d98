/* test_ram_file.c - RAM in files: whole with holes, differences on it, mapped privately, and what does not fit */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "vmm/memory.h"
#include "vmm/ram_file.h"

#define BYTES (UINT64_C(4) << 20)
#define PAGES (BYTES / RAM_PAGE)

struct fixture {
	struct ram ram;
	uint64_t pages[PAGES / 64];
	int fd;
};

static int set_up(void **state)
{
	static struct fixture f;
	struct err e;

	memset(&f, 0, sizeof(f));
	f.fd = memfd_create("ram", MFD_CLOEXEC);
	*state = &f;
	return ftruncate(f.fd, (off_t)BYTES) < 0 ? -1 : memory_make(BYTES, MEMORY_OWN, &f.ram, &e);
}

static int tear_down(void **state)
{
	struct fixture *f = *state;

	close(f->fd);
	memory_free(&f->ram);
	return 0;
}

static void put(struct fixture *f, uint64_t page, uint8_t v)
{
	f->ram.slots[0].host[page * RAM_PAGE + page % RAM_PAGE] = v;
	f->pages[page / 64] |= UINT64_C(1) << page % 64;
}

static uint8_t get(const uint8_t *host, uint64_t page)
{
	return host[page * RAM_PAGE + page % RAM_PAGE];
}

static const uint64_t some[] = { 0, 1, 2, 63, 64, 65, 127, 500, PAGES - 1 };
#define N_SOME (sizeof(some) / sizeof(some[0]))

static void a_whole_file_has_holes_and_is_mapped_privately(void **state)
{
	struct fixture *f = *state;
	struct stat st;
	uint8_t *host, byte;
	struct err e;

	for (size_t i = 0; i < N_SOME; i++)
		put(f, some[i], (uint8_t)(i + 1));
	memset(f->pages, 0xff, sizeof(f->pages)); /* the others are zero */
	assert_int_equal(ram_file_write(f->fd, &f->ram, f->pages, true), N_SOME);
	assert_int_equal(fstat(f->fd, &st), 0);
	assert_true(st.st_blocks * 512 <= 64 * RAM_PAGE);
	assert_int_equal(ram_file_map(&f->fd, 1, BYTES, &host, &e), 0);
	for (size_t i = 0; i < N_SOME; i++)
		assert_int_equal(get(host, some[i]), i + 1);
	assert_int_equal(get(host, 3), 0);
	host[0] = 99;
	assert_int_equal(pread(f->fd, &byte, 1, 0), 1);
	assert_int_equal(byte, 1);
	munmap(host, BYTES);
}

static void differences_lie_on_top_of_each_other(void **state)
{
	struct fixture *f = *state;
	int fds[3] = { f->fd, memfd_create("one", MFD_CLOEXEC), memfd_create("two", MFD_CLOEXEC) };
	uint8_t *host;
	struct err e;

	for (uint64_t page = 0; page < PAGES; page++)
		put(f, page, 1);
	assert_int_equal(ram_file_write(fds[0], &f->ram, f->pages, true), PAGES);
	for (int i = 1; i <= 2; i++) {
		memset(f->pages, 0, sizeof(f->pages));
		for (uint64_t page = 10; page < 20; page++)
			put(f, page * (uint64_t)i, (uint8_t)(i + 1));
		put(f, 7, 0); /* zero is a change, too */
		assert_int_equal(ftruncate(fds[i], (off_t)(BYTES + ram_file_map_bytes(BYTES))), 0);
		assert_int_equal(ram_file_write(fds[i], &f->ram, f->pages, false), 11);
		assert_int_equal(ram_file_write_map(fds[i], &f->ram, f->pages), 0);
	}
	assert_int_equal(ram_file_map(fds, 3, BYTES, &host, &e), 0);
	assert_int_equal(memcmp(host, f->ram.slots[0].host, BYTES), 0);
	assert_int_equal(get(host, 7), 0);
	assert_int_equal(get(host, 11), 2);
	assert_int_equal(get(host, 38), 3);
	munmap(host, BYTES);
	close(fds[1]);
	close(fds[2]);
}

static void pages_are_read_back(void **state)
{
	struct fixture *f = *state;

	put(f, 5, 5);
	put(f, PAGES - 1, 6);
	assert_int_equal(ram_file_write(f->fd, &f->ram, f->pages, false), 2);
	put(f, 5, 50);
	put(f, 6, 60);
	put(f, PAGES - 1, 61);
	assert_int_equal(ram_file_read(f->fd, &f->ram, f->pages), 3);
	assert_int_equal(get(f->ram.slots[0].host, 5), 5);
	assert_int_equal(get(f->ram.slots[0].host, 6), 0);
	assert_int_equal(get(f->ram.slots[0].host, PAGES - 1), 6);
}

static void files_of_another_size_are_refused(void **state)
{
	struct fixture *f = *state;
	int two[2] = { f->fd, f->fd }, pair[2];
	uint8_t *host;
	struct err e;

	assert_int_equal(ram_file_map(&f->fd, 1, 2 * BYTES, &host, &e), -EINVAL);
	assert_int_equal(ram_file_map(two, 2, BYTES, &host, &e), -EINVAL); /* no map behind it */
	assert_int_equal(pipe(pair), 0);
	assert_int_equal(ram_file_map(pair, 1, BYTES, &host, &e), -EINVAL);
	close(pair[0]);
	close(pair[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_whole_file_has_holes_and_is_mapped_privately, set_up,
						tear_down),
		cmocka_unit_test_setup_teardown(differences_lie_on_top_of_each_other, set_up, tear_down),
		cmocka_unit_test_setup_teardown(pages_are_read_back, set_up, tear_down),
		cmocka_unit_test_setup_teardown(files_of_another_size_are_refused, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* test_pagemap.c - which pages of RAM there are: by a scan where the kernel has one, and page by page */
#include "../cm.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "vmm/pagemap.h"
#include "vmm/ram_file.h"

#define BYTES (UINT64_C(4) << 20)
#define PAGES (BYTES / RAM_PAGE)

static struct ram ram;
static int fd, file;

static int set_up(void **state)
{
	static const char page[RAM_PAGE] = { 1 };
	struct err e;
	uint8_t *host;

	fd = pagemap_open();
	file = memfd_create("ram", MFD_CLOEXEC);
	if (fd < 0 || file < 0 || ftruncate(file, (off_t)BYTES) < 0)
		return -1;
	for (uint64_t i = 0; i < PAGES; i++)
		if (pwrite(file, page, sizeof(page), (off_t)(i * RAM_PAGE)) != sizeof(page))
			return -1;
	if (ram_file_map(&file, 1, BYTES, &host, &e) < 0)
		return -1;
	ram = (struct ram){ .slots = { { .gpa = 0, .bytes = BYTES, .host = host } }, .n = 1, .fd = -1 };
	return 0;
}

static int tear_down(void **state)
{
	munmap(ram.slots[0].host, BYTES);
	close(file);
	close(fd);
	return 0;
}

/* More runs than one scan tells, and at the ends. */
static bool is_written(uint64_t page)
{
	return page == 0 || page == PAGES - 1 || (page > 10 && page < 20) ||
	       (page > 100 && page < 700 && page % 2);
}

static bool is_read(uint64_t page)
{
	return page > 800 && page < 810;
}

static bool they_are_found(void)
{
	uint64_t own[PAGES / 64], all[PAGES / 64];

	memset(own, 0xff, sizeof(own));
	if (pagemap_find(fd, &ram, true, own) < 0 || pagemap_find(fd, &ram, false, all) < 0)
		return false;
	for (uint64_t i = 0; i < PAGES; i++) {
		bool there = all[i / 64] >> i % 64 & 1;

		if ((own[i / 64] >> i % 64 & 1) != is_written(i))
			return false;
		/* the kernel may have mapped neighbours of what was read, and nothing that was not there */
		if ((is_written(i) || is_read(i)) && !there)
			return false;
	}
	return true;
}

static void touch(void)
{
	volatile uint8_t *host = ram.slots[0].host;

	for (uint64_t i = 0; i < PAGES; i++)
		if (is_written(i))
			host[i * RAM_PAGE] = 2;
		else if (is_read(i))
			(void)host[i * RAM_PAGE];
}

/* As a kernel before 6.7. */
static int refuse_scans(void)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_ioctl, 0, 3),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args[1])),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)PAGEMAP_SCAN_REQUEST, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOTTY),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog p = { ARRAY_LEN(code), code };

	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ? -1 : prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &p);
}

static void what_is_there_is_found_in_both_ways(void **state)
{
	uint64_t found[PAGES / 64];
	pid_t pid;
	int status;

	touch();
	assert_true(they_are_found());
	pid = fork();
	if (!pid) { /* has the same pages, but its own pagemap */
		close(fd);
		fd = pagemap_open();
		touch();
		_exit(refuse_scans() < 0 || !they_are_found());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	assert_int_equal(pagemap_find(-1, &ram, false, found), 0);
	for (size_t i = 0; i < PAGES / 64; i++)
		assert_int_equal(found[i], UINT64_MAX);
}

static void what_is_forgotten_is_the_files_again(void **state)
{
	uint64_t own[PAGES / 64] = { 0 };
	int64_t n = 0;

	touch();
	for (uint64_t i = 0; i < PAGES; i++)
		n += is_written(i);
	assert_int_equal(pagemap_find(fd, &ram, true, own), 0);
	assert_int_equal(ram_file_forget(&ram, own), n);
	for (uint64_t i = 0; i < PAGES; i++)
		assert_int_equal(ram.slots[0].host[i * RAM_PAGE], 1);
	assert_int_equal(pagemap_find(fd, &ram, true, own), 0);
	for (size_t i = 0; i < PAGES / 64; i++)
		assert_int_equal(own[i], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_there_is_found_in_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(what_is_forgotten_is_the_files_again, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

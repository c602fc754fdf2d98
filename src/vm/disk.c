/* disk.c - the writable layer of a VM: a sparse ext4 image, made by mke2fs in a few milliseconds */
#include "vm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "sys/run.h"

#define DISK_BYTES  (UINT64_C(64) << 30) /* what the guest sees; the file holds what is written */
#define JOURNAL_MIB 64
#define MKE2FS_MS   30000
#define STAGED_NAME "disk.ext4.new~"

/* Inode tables and journal are not written now (lazy), and the guest mounts with noinit_itable: the file stays
 * sparse.  One inode for 64 KiB keeps the tables small. */
static int make_file_system(int fd, uint64_t bytes, struct err *e)
{
	AUTO(buf_done) struct buf said = { 0 };
	uint64_t part_mib = bytes >> 24; /* of a small disk a sixteenth */
	char path[64], journal[32];
	const char *argv[] = {
		"mke2fs", "-qF",
		"-t",	  "ext4",
		"-b",	  "4096",
		"-m",	  "0",
		"-i",	  "65536",
		"-J",	  journal,
		"-O",	  "^resize_inode",
		"-E",	  "lazy_itable_init=1,lazy_journal_init=1,nodiscard,root_owner=0:0",
		path,	  NULL,
	};
	int r, status;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	snprintf(journal, sizeof(journal), "size=%d", part_mib < JOURNAL_MIB ? (int)part_mib : JOURNAL_MIB);
	r = run_program(argv, fd, MKE2FS_MS, &said, &status);
	if (r == -ENOENT)
		return err_set(e, ENOENT, "mke2fs is missing; install the package e2fsprogs");
	if (r < 0)
		return err_sys(e, -r, "mke2fs");
	if (status)
		return err_set(e, EIO, "mke2fs failed with status %d: %.200s", status,
			       said.data ? said.data : "");
	return 0;
}

static int make_disk(int dirfd, uint64_t bytes, struct err *e)
{
	autoclose int fd =
		openat(dirfd, STAGED_NAME, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	int r;

	if (fd < 0)
		return err_sys(e, errno, "disk.ext4");
	r = ftruncate(fd, (off_t)bytes) < 0 ? err_sys(e, errno, "disk.ext4") : make_file_system(fd, bytes, e);
	if (r == 0 && renameat(dirfd, STAGED_NAME, dirfd, "disk.ext4") < 0)
		r = err_sys(e, errno, "disk.ext4");
	if (r < 0)
		unlinkat(dirfd, STAGED_NAME, 0);
	return r;
}

int vm_disk_open(int dirfd, uint64_t bytes, struct err *e)
{
	int fd = openat(dirfd, "disk.ext4", O_RDWR | O_NOFOLLOW | O_CLOEXEC), r;

	if (fd < 0 && errno == ENOENT) {
		r = make_disk(dirfd, bytes ? bytes : DISK_BYTES, e);
		if (r < 0)
			return r;
		fd = openat(dirfd, "disk.ext4", O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? err_sys(e, errno, "disk.ext4") : fd;
}

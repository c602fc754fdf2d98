/* disk.c - the writable layer of a VM: a sparse ext4 image, made by mke2fs in a few milliseconds */
#include "vm/disk.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "storage/qcow2.h"
#include "sys/run.h"

#define DISK_BYTES  (UINT64_C(64) << 30) /* what the guest sees; the file holds what is written */
#define JOURNAL_MIB 64
#define MKE2FS_MS   30000
#define RAW_NAME    "disk.ext4"
#define QCOW2_NAME  "disk.qcow2"

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

static int make_raw(int fd, uint64_t bytes, struct err *e)
{
	return ftruncate(fd, (off_t)bytes) < 0 ? err_sys(e, errno, RAW_NAME) : make_file_system(fd, bytes, e);
}

static int make_qcow2(int fd, uint64_t bytes, struct err *e)
{
	int r = qcow2_format(fd, bytes);

	/* mke2fs does that by itself: a name that outlived what it names would keep the machine from starting, for ever */
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, QCOW2_NAME) : 0;
}

/* Under another name until it is whole. */
static int make_disk(int dirfd, const char *name, uint64_t bytes,
		     int (*make)(int fd, uint64_t bytes, struct err *e), struct err *e)
{
	autofree char *staged = str_printf("%s.new~", name);
	autoclose int fd = -1;
	int r;

	if (!staged)
		return err_set(e, ENOMEM, "out of memory");
	fd = openat(dirfd, staged, O_RDWR | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return err_sys(e, errno, "%s", name);
	r = make(fd, bytes, e);
	if (r == 0 && renameat(dirfd, staged, dirfd, name) < 0)
		r = err_sys(e, errno, "%s", name);
	if (r < 0)
		unlinkat(dirfd, staged, 0);
	return r;
}

static int open_disk(int dirfd, const char *name, uint64_t bytes,
		     int (*make)(int fd, uint64_t bytes, struct err *e), struct err *e)
{
	int fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC), r;

	if (fd < 0 && errno == ENOENT) {
		r = make_disk(dirfd, name, bytes, make, e);
		if (r < 0)
			return r;
		fd = openat(dirfd, name, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	}
	return fd < 0 ? err_sys(e, errno, "%s", name) : fd;
}

int vm_disk_open(int dirfd, uint64_t bytes, struct err *e)
{
	return open_disk(dirfd, RAW_NAME, bytes ? bytes : DISK_BYTES, make_raw, e);
}

int vm_disk_open_above(int dirfd, int base, struct err *e)
{
	struct stat st;

	if (fstat(base, &st) < 0)
		return err_sys(e, errno, RAW_NAME);
	return open_disk(dirfd, QCOW2_NAME, (uint64_t)st.st_size, make_qcow2, e);
}

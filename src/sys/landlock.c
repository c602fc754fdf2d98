/* landlock.c - landlock(7): a process gives up the file system but for named places */
#include "sys/landlock.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"

/* Access rights as later versions of the interface added them; linux/landlock.h may be older than the kernel. */
#define ABI_1	UINT64_C(0x1fff)
#define REFER	UINT64_C(0x2000) /* 2 */
#define TRUNC	UINT64_C(0x4000) /* 3 */
#define READING (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_EXECUTE)

static int abi(void)
{
	long r = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);

	return r < 0 ? -errno : (int)r;
}

int landlock_new(void)
{
	struct landlock_ruleset_attr a = { .handled_access_fs = ABI_1 };
	int version = abi();
	long fd;

	if (version < 0)
		return version;
	if (version >= 2)
		a.handled_access_fs |= REFER;
	if (version >= 3)
		a.handled_access_fs |= TRUNC;
	fd = syscall(SYS_landlock_create_ruleset, &a, sizeof(a), 0); /* O_CLOEXEC by itself */
	return fd < 0 ? -errno : (int)fd;
}

int landlock_allow(int ruleset, int fd, bool write)
{
	struct landlock_path_beneath_attr a = { .allowed_access = READING, .parent_fd = fd };
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (S_ISDIR(st.st_mode)) /* for files it is not a right */
		a.allowed_access |= LANDLOCK_ACCESS_FS_READ_DIR;
	if (write)
		a.allowed_access |= LANDLOCK_ACCESS_FS_WRITE_FILE;
	if (syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0) == 0)
		return 0;
	return errno == EBADFD
		       ? 0
		       : -errno; /* a memfd: of no file system that anybody can name, and not forbidden */
}

int landlock_allow_path(int ruleset, const char *path, bool write)
{
	autoclose int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return errno == ENOENT ? 0 : -errno;
	return landlock_allow(ruleset, fd, write);
}

int landlock_allow_files(int ruleset, int fd)
{
	struct landlock_path_beneath_attr a = {
		.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR |
				  LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_MAKE_REG |
				  LANDLOCK_ACCESS_FS_REMOVE_FILE | (abi() >= 3 ? TRUNC : 0),
		.parent_fd = fd,
	};

	return syscall(SYS_landlock_add_rule, ruleset, LANDLOCK_RULE_PATH_BENEATH, &a, 0) < 0 ? -errno : 0;
}

int landlock_enter(int ruleset)
{
	return syscall(SYS_landlock_restrict_self, ruleset, 0) < 0 ? -errno : 0;
}

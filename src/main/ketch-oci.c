/* ketch-oci.c - the OCI runtime: a short life with the rights of its caller
 *
 * Before it puts a process into a container it sees to it that nothing in there can come to write to this program: for
 * a moment that process runs this program's code, and a hostile image may start "/proc/self/exe" (CVE-2019-5736).  So
 * the program goes on from a read-only mount of its own file: it is mapped anew from there, and executed anew only where
 * the kernel or the caller's rights do not allow that.  A user who cannot mount gets a sealed copy.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "ocicli/ocicli.h"
#include "sys/exe.h"
#include "sys/mount.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10 /* Linux 6.3: before, every memfd may be executed */
#endif
#define SEALS (F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE)

static bool is_protected(int exe)
{
	struct statvfs fs;
	int seals;

	if (fstatvfs(exe, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		return true;
	seals = fcntl(exe, F_GET_SEALS);
	return seals >= 0 && (seals & SEALS) == SEALS;
}

static int read_only_mount(int exe)
{
	autoclose int mnt = mount_clone(exe, false);
	int r = mnt < 0 ? mnt : mount_change(mnt, MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID, 0, false);

	return r < 0 ? r : take_fd(&mnt);
}

static int sealed_copy(int exe)
{
	autoclose int fd = memfd_create("ketch-oci", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);
	struct stat st;
	off_t at = 0;

	if (fd < 0)
		fd = memfd_create("ketch-oci", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0 || fstat(exe, &st) < 0)
		return -errno;
	while (at < st.st_size)
		if (sendfile(fd, exe, &at, (size_t)(st.st_size - at)) <= 0)
			return -errno;
	return fcntl(fd, F_ADD_SEALS, SEALS) < 0 ? -errno : take_fd(&fd);
}

static int move_to(int mnt, char *const *argv)
{
	autoclose int exe = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/self/fd/%d", mnt);
	exe = open(path, O_RDONLY | O_CLOEXEC);
	return exe < 0 ? -errno : exe_move(exe, argv);
}

/* Returns when the program is protected; else begins anew from where it is. */
static int protect(char *const *argv, int *ret_mount)
{
	autoclose int exe = open("/proc/self/exe", O_RDONLY | O_CLOEXEC), safe = -1;

	if (exe < 0)
		return -errno;
	if (is_protected(exe))
		return 0;
	safe = read_only_mount(exe);
	if (safe >= 0 && move_to(safe, argv) == 0) {
		*ret_mount = take_fd(&safe);
		return 0;
	}
	if (safe < 0)
		safe = sealed_copy(exe);
	if (safe < 0)
		return safe;
	syscall(SYS_execveat, safe, "", argv, environ, AT_EMPTY_PATH);
	return -errno;
}

int main(int argc, char **argv)
{
	/* executed by descriptor, the kernel took its number for the name */
	prctl(PR_SET_NAME, "ketch-oci");
	return oci_main(argv, protect);
}

/* project_quota.c - files of a project, and how much they may take of their file system (quotactl(2), ext4 and xfs) */
#include "sys/project_quota.h"

#include <errno.h>
#include <linux/dqblk_xfs.h>
#include <linux/fs.h>
#include <linux/quota.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SUBCMD(cmd) ((unsigned)QCMD((unsigned)(cmd), PRJQUOTA))

static int control(int fd, unsigned cmd, uint32_t project, void *what)
{
	return syscall(SYS_quotactl_fd, fd, cmd, project, what) < 0 ? -errno : 0;
}

/* The question is one of xfs by name; ext4 answers it, too. */
bool project_quota_enforced(int fd)
{
	struct fs_quota_statv s = { .qs_version = FS_QSTATV_VERSION1 };

	return control(fd, SUBCMD(Q_XGETQSTATV), 0, &s) == 0 && (s.qs_flags & FS_QUOTA_PDQ_ENFD);
}

int project_get(int fd, uint32_t *ret)
{
	struct fsxattr x = { 0 };

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
		return -errno;
	*ret = x.fsx_projid;
	return 0;
}

int project_set(int fd, uint32_t project, bool handed_on)
{
	struct fsxattr x = { 0 };

	if (ioctl(fd, FS_IOC_FSGETXATTR, &x) < 0)
		return -errno;
	x.fsx_projid = project;
	if (handed_on)
		x.fsx_xflags |= FS_XFLAG_PROJINHERIT;
	else
		x.fsx_xflags &= ~(uint32_t)FS_XFLAG_PROJINHERIT;
	return ioctl(fd, FS_IOC_FSSETXATTR, &x) < 0 ? -errno : 0;
}

int project_quota_get(int fd, uint32_t project, struct project_use *ret)
{
	struct if_dqblk q = { 0 };
	int r = control(fd, SUBCMD(Q_GETQUOTA), project, &q);

	if (r == -ENOENT) /* xfs has never heard of it */
		r = 0;
	*ret = (struct project_use){
		.bytes = q.dqb_curspace,
		.files = q.dqb_curinodes,
		.limit_bytes = q.dqb_bhardlimit * QIF_DQBLKSIZE,
	};
	return r;
}

int project_quota_limit(int fd, uint32_t project, uint64_t bytes)
{
	uint64_t blocks = bytes / QIF_DQBLKSIZE;
	struct if_dqblk q = { .dqb_bhardlimit = blocks, .dqb_bsoftlimit = blocks, .dqb_valid = QIF_BLIMITS };

	return control(fd, SUBCMD(Q_SETQUOTA), project, &q);
}

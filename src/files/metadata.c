/* metadata.c - what an archive may say about a file besides its content: mode, owner, times, attributes */
#include "files/metadata.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "files/restore.h"

mode_t metadata_mode(int flags, const struct entry *en)
{
	return en->mode & (flags & RESTORE_SETID ? 07777 : 01777);
}

int metadata_set_owner(int flags, int fd, const struct entry *en, struct err *e)
{
	bool keep = flags & RESTORE_OWNER;
	uid_t uid = keep ? en->uid : geteuid();
	gid_t gid = keep ? en->gid : getegid();

	if (fchownat(fd, "", uid, gid, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "cannot set the owner %u:%u", uid, gid);
	return 0;
}

int metadata_set_times(int fd, const struct entry *en, struct err *e)
{
	const struct timespec times[2] = { en->mtime, en->mtime };

	if (utimensat(fd, "", times, AT_EMPTY_PATH | AT_SYMLINK_NOFOLLOW) < 0)
		return err_sys(e, errno, "cannot set the time");
	return 0;
}

bool metadata_keeps_xattr(int flags, const char *name)
{
	if (!strncmp(name, "user.", 5))
		return strncmp(name, "user.overlay.", 13);
	if (!strcmp(name, "security.capability"))
		return flags & RESTORE_SETID;
	return !strncmp(name, "system.posix_acl_", 17) && (flags & RESTORE_OWNER);
}

int metadata_set_xattr(int fd, const char *name, const void *value, size_t n, struct err *e)
{
	/* another file system has no such attributes, or not for this kind of file */
	if (fsetxattr(fd, name, value, n, 0) < 0 && errno != EOPNOTSUPP && errno != EPERM)
		return err_sys(e, errno, "cannot set the attribute %.80s", name);
	return 0;
}

int metadata_set_xattrs(int flags, int fd, const struct entry *en, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < en->n_xattrs && r == 0; i++) {
		const struct xattr *x = &en->xattrs[i];

		if (metadata_keeps_xattr(flags, x->name) && strcmp(x->name, ACL_DEFAULT) != 0)
			r = metadata_set_xattr(fd, x->name, x->value, x->n, e);
	}
	return r;
}

int metadata_set_all(int flags, int fd, const struct entry *en, struct err *e)
{
	int r = metadata_set_owner(flags, fd, en, e);

	if (r == 0 && fchmod(fd, metadata_mode(flags, en)) < 0)
		r = err_sys(e, errno, "cannot set the mode");
	if (r == 0) /* behind the owner, whose change takes capabilities away */
		r = metadata_set_xattrs(flags, fd, en, e);
	return r < 0 ? r : metadata_set_times(fd, en, e);
}

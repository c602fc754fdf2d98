/* user.h - THE parser of users: "[name|uid][:group|gid]" and the texts of /etc/passwd and /etc/group; pure, but for user_resolve()
 *
 * Any doubt is an error, and no error ever ends as uid 0 (security.md A7).  The rules are Docker's, made strict:
 *	- digits only are a uid or gid, 0..2147483647; else it is a name, which must be in the file
 *	- a uid that the file does not have has gid 0, home "/" and no further groups
 *	- no user before a group (":5") is uid 0, whoever the image's is; no group behind a colon ("5:") is doubt
 *	- an explicit group replaces the groups of the file
 *	- a line that would decide must have all its fields, with clean numbers; two lines for one name that
 *	  disagree, a NUL byte, or a name of digits that belongs to another uid are refused
 */
#ifndef CONTAINER_USER_H
#define CONTAINER_USER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/strv.h"

#define USER_FILE_MAX	(1024 * 1024)
#define USER_GROUPS_MAX 1024

struct user {
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* supplementary; owned */
	size_t n_groups;
	char *home; /* owned */
};

void user_done(struct user *u);
/* spec NULL or "": uid 0.  groups: additional ones, names or gids.  passwd, group: texts, empty when the file is
 * missing.  0 or -errno; *ret by user_done. */
int user_parse(const char *spec, const struct strv *groups, const struct buf *passwd, const struct buf *group,
	       struct user *ret, struct err *e);
/* user_files.c: the same with the files below rootfd. */
int user_resolve(int rootfd, const char *spec, const struct strv *groups, struct user *ret, struct err *e);

#endif

/* restore.h - the entries of an archive become files below one directory, which nothing can leave
 *
 * Directories are entered name by name, each by a descriptor of the one before and never through a link; what is
 * made is made under a name that was free.  So neither the archive, which may hold a link and then a file "behind"
 * it, nor whoever changes the tree meanwhile gets anything written elsewhere.
 */
#ifndef FILES_RESTORE_H
#define FILES_RESTORE_H

#include "files/untar.h"

enum {
	RESTORE_OWNER =
		1, /* the owners of the archive, else our own; and access control lists, which name more of them */
	RESTORE_SETID =
		2, /* set-user-id and set-group-id bits, and capabilities of files, else without them */
	RESTORE_TOP = 4, /* what the archive says about "./" is for the base: its mode, owner and time */
	RESTORE_LAYER =
		8, /* it is a layer (OCI image-spec, layer.md): ".wh.x" removes x, whatever is there gives way, and
		    * device nodes are made */
};

struct restore;

/* base_fd: a directory, borrowed; O_PATH suffices.  NULL: no memory. */
struct restore *restore_new(int base_fd, int flags);
struct restore *restore_free(struct restore *rs);
/* Makes one entry, whose content is read from u, in the place of what was there; a directory that is there stays, and
 * takes neither the place of something else nor is replaced.  Directories that the archive does not name are
 * made.  Of attributes those of users are kept, where the file system has any.  Device nodes are refused.  A file that could not be written whole is taken away. */
int restore_put(struct restore *rs, const struct entry *en, struct untar *u, struct err *e);
/* Notes what RESTORE_TOP wants of an entry "./". */
void restore_note_top(struct restore *rs, const struct entry *en);
/* The last step: modes, owners and times of directories. */
int restore_finish(struct restore *rs, struct err *e);

#endif

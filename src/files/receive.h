/* receive.h - a tar stream of files/send.h, or of anybody, is put where a user said, by the rules of `docker cp`
 *
 *	what comes	the path is		result
 *	a file		not there		this file (not when the path ends with "/")
 *			a file			takes its place
 *			a directory		in it, under its own name
 *	a directory	not there		this directory
 *			a file			refused
 *			a directory		in it, under its own name; its content alone when its name is ""
 *	an archive	a directory		its entries in it, as they are; else refused
 *
 * The directory above the path must be there.
 */
#ifndef FILES_RECEIVE_H
#define FILES_RECEIVE_H

#include "files/place.h"
#include "files/restore.h"

/* Where it goes, as it was found. */
struct destination {
	struct place place;
	enum { TO_NOTHING, TO_FILE, TO_DIRECTORY } kind;
	bool slash; /* the user wrote one at the end */
};

/* Looks at the path, before anything is read. */
int files_find_destination(int rootfd, const char *path, struct destination *ret, struct err *e);
void destination_done(struct destination *to);

struct reception {
	int in_fd;
	bool archive; /* as it is; needs a directory */
	const char *
		name; /* what the first entry must be called, and all others be below; NULL: whatever it is */
	int flags; /* RESTORE_* */
};

/* Reads the stream to its end. */
int files_receive(const struct destination *to, const struct reception *rc, struct err *e);

#endif

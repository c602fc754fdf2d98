/* canon.h - the canonical tar stream of a tree: what the diff id of an imported directory is the SHA-256 of
 *
 * The same tree always gives the same stream (and so the same layer), and a layer saved later can be written with it:
 *   - entries depth first, names of one directory in the order of their bytes; first "./", all others without "./";
 *     directories end with "/"; sockets are left out;
 *   - of several names of one file the first is the file, the others are hard links (typeflag 1) to it;
 *   - each is a POSIX pax entry: an extended header ("PaxHeaders/ketch", mode 0644, all else 0) only if something
 *     does not fit, with records in this order: path (over 100 bytes), linkpath (over 100), size (8 GiB and up), uid,
 *     gid (over 07777777), mtime (with a fraction, negative or over 33 bits), SCHILY.xattr.NAME (sorted by name);
 *   - then the ustar header: the first 100 bytes of path and linkpath, empty user and group names, no prefix; fields
 *     that do not fit are 0;
 *   - in a layer, what it deletes of those below it is an empty file ".wh.NAME" at the place of NAME, with mode, owner and
 *     time 0;
 *   - content with its holes as zeros, filled to 512 bytes; two blocks of zeros at the end.
 */
#ifndef FILES_CANON_H
#define FILES_CANON_H

#include "files/entry.h"

/* out takes each piece of the stream. */
struct canon {
	void (*out)(void *arg, const void *data, size_t n);
	void *arg;
};

/* The header of an entry; its content follows by the caller, then canon_pad.  xattrs must be sorted.  0 or -ENOMEM. */
int canon_entry(const struct canon *c, const struct entry *en);
void canon_pad(const struct canon *c, uint64_t size);
void canon_end(const struct canon *c);

#endif

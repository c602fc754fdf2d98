/* links.h - which file, of those with several names, was seen under which path first */
#ifndef FILES_LINKS_H
#define FILES_LINKS_H

#include <sys/types.h>

struct links;

struct links *links_new(void); /* NULL: no memory */
struct links *links_free(struct links *l);
/* The path under which dev:ino was seen first, borrowed; `path` itself (copied) if this is the first time; NULL when
 * memory is out. */
const char *links_first(struct links *l, dev_t dev, ino_t ino, const char *path);

#endif

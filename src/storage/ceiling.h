/* ceiling.h - how much a container may write: a project of the store's file system (sys/project_quota.h)
 *
 * The directory of an instance bears the number of its project, and so keeps it: there is no other record.  What the
 * instance writes to hands it on.  A number is new when nothing on the file system bears it, nor has a limit by it; what
 * others still stand on bears that of an instance that has gone, so that nobody gets it while it is there.
 */
#ifndef STORAGE_CEILING_H
#define STORAGE_CEILING_H

#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* Before anything is written: `dir` is the instance's, `written` are empty directories, or of an earlier call. */
int ceiling_hold(int dir, const int *written, size_t n, uint64_t bytes, struct err *e);
/* The instance goes: its limit does, too.  Nothing happens where it has none. */
void ceiling_release(int dir);

#endif

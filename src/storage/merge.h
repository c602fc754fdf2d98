/* merge.h - two sealed layers become one: what the upper one holds goes into the lower one, which then takes its place
 *
 * How it works: only those see the lower layer who see the upper one in front of it.  So each step moves something that
 * hides what it goes in place of, and both together show the same before and after it: a merge that is killed anywhere has
 * changed nothing that can be seen (but the time of a directory, perhaps), and another one goes on from there.  When it is
 * done the upper layer holds nothing that the lower one has not.
 *
 * Nobody may have either of them open.  What cannot be done (another project quota, an immutable file) is an error, and
 * leaves things as above.  Return 0 or -errno.
 */
#ifndef STORAGE_MERGE_H
#define STORAGE_MERGE_H

#include <stdbool.h>

/* Upper directories of overlays that were mounted without redirects and metacopy, on one file system.  What is moved is not
 * copied: a directory that the lower one has not goes as a whole. */
int merge_directories(int lower, int upper);
/* Disk images: the upper one is qcow2, the lower one raw or qcow2, opened for writing.  -EINVAL: the lower
 * one is larger, or a qcow2 of another size. */
int merge_disks(int lower, bool lower_is_raw, int upper);

#endif

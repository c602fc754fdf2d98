/* arrive.h - blobs of a layout that are still being fetched: waited for, not for longer than somebody fetches
 *
 * Who fetches appends to the files, and makes the file ARRIVE_END in the layout when no more comes.  Should it fail or
 * die instead, so does this job: its parent ends it.
 */
#ifndef UNPACK_ARRIVE_H
#define UNPACK_ARRIVE_H

#include <stdbool.h>

#define ARRIVE_END "complete"

/* Nothing more comes into the layout. */
bool arrive_ended(int layout_fd);
/* Lets a moment pass. */
void arrive_pause(void);

#endif

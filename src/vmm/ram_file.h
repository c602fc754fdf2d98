/* ram_file.h - guest RAM in files: written while the machine runs or rests, mapped privately by those restored from it
 *
 * A whole file is as long as the RAM and has holes where that is zero.  A difference has the same places for the pages that
 * changed and, behind the RAM's length, a map of a bit a page that says which those are.  A machine is restored from
 * one whole file and up to RAM_FILES - 1 differences, each on the one before.
 */
#ifndef VMM_RAM_FILE_H
#define VMM_RAM_FILE_H

#include "base/err.h"
#include "virtio/ram.h"

#define RAM_FILES 8

/* Bytes of the map of a difference. */
uint64_t ram_file_map_bytes(uint64_t ram_bytes);
/* Maps the files (borrowed) as RAM that is ours alone: what is not written stays shared with everybody who maps them.  0 or
 * -errno with e: the sizes do not fit `bytes`. */
int ram_file_map(const int *fds, unsigned n, uint64_t bytes, uint8_t **ret, struct err *e);
/* Writes the pages of the bitmap to their places: how many, or -errno.  Pages that are zero are left out with skip_zero: the
 * file has holes there. */
int64_t ram_file_write(int fd, const struct ram *r, const uint64_t *pages, bool skip_zero);
/* Writes the map of a difference. */
int ram_file_write_map(int fd, const struct ram *r, const uint64_t *pages);
/* Reads the pages of the bitmap back from a whole file: how many, or -errno. */
int64_t ram_file_read(int fd, const struct ram *r, const uint64_t *pages);
/* RAM that maps files: the pages of the bitmap are those of the files again.  How many, or -errno. */
int64_t ram_file_forget(const struct ram *r, const uint64_t *pages);

#endif

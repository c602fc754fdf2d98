/* io.h - whole reads and writes, files written so that they are old or new and never half
 *
 * Return bytes or 0, or -errno.  Descriptors are borrowed.
 */
#ifndef BASE_IO_H
#define BASE_IO_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/buf.h"
#include "base/err.h"

/* Writes all n bytes (retries EINTR, short writes, and waits where fd is non-blocking). */
int write_full(int fd, const void *data, size_t n);
/* The same at an offset of a regular file. */
int pwrite_full(int fd, const void *data, size_t n, off_t offset);
/* Reads n bytes unless the end comes first; returns what was read. */
ssize_t read_full(int fd, void *data, size_t n);
/* Appends to b until the end of file; more than max bytes is -EFBIG. */
int read_to_end(int fd, size_t max, struct buf *b);
/* Reads a regular file below dirfd (AT_FDCWD allowed) whole, as it was when it was opened; more than max bytes is
 * -EFBIG. */
int read_file(int dirfd, const char *path, size_t max, struct buf *b);
/* Reads what a user has named whole, also a pipe or a device, until its end; more than max bytes is -EFBIG. */
int read_given_file(const char *path, size_t max, struct buf *b);
/* What write_file_atomic and write_file_swap put behind a name until the file is whole. */
#define WRITE_FILE_TMP ".new~"
/* Writes path anew: temporary file, fsync, rename.  mode as for open(2).  Of several writers at once the last one's is
 * there, whole. */
int write_file_atomic(int dirfd, const char *path, mode_t mode, const void *data, size_t n);
/* The same without the fsync, for live state that need not outlive the machine. */
int write_file_swap(int dirfd, const char *path, mode_t mode, const void *data, size_t n);
/* Writes a short string to a file that exists already (kernel interfaces: cgroupfs, procfs). */
int write_existing(int dirfd, const char *path, const char *s);
/* Copies all of `from`, which is read to its end, to `to` (copy_file_range, else read and write). */
int copy_fd(int from, int to);
/* A program that was just started says through a pipe how that went: "ok", or what is wrong.  0; -EIO: said (of size
 * bytes) has its words, or tells that it ended, or was silent for so many milliseconds. */
int read_ready(int fd, int wait_ms, char *said, size_t size);
int fd_set_nonblock(int fd, bool on);
int fd_set_cloexec(int fd, bool on);
/* A pipe with O_CLOEXEC on both ends: fd[0] reads. */
int pipe_cloexec(int fd[2]);
/* fd in 0..2 would be taken for stdio by a child: moves it to >= 3 (O_CLOEXEC), closing the old one. */
int fd_move_above_stdio(int fd);

#endif

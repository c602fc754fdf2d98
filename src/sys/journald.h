/* journald.h - systemd's journal, by its native protocol (https://systemd.io/JOURNAL_NATIVE_PROTOCOL) */
#ifndef SYS_JOURNALD_H
#define SYS_JOURNALD_H

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

#define JOURNALD_SOCKET "/run/systemd/journal/socket"

bool journald_is_there(void);
/* A socket that is connected to it, or to another at `path` (NULL: the usual one).  -errno. */
int journald_connect(const char *path);
/* Appends a field; the value may hold any bytes. */
void journald_add(struct buf *entry, const char *name, const void *value, size_t n);
/* Sends the entry; never waits.  0 or -errno: it is lost. */
int journald_send(int fd, const struct buf *entry);

#endif

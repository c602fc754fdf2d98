/* set_up.h - what ketch-monitor has before its loop turns: the boot document, its descriptors, socket and signals */
#ifndef MONITOR_SET_UP_H
#define MONITOR_SET_UP_H

#include "base/err.h"
#include "instance/boot.h"

/* Reads the document out of fd, which it closes, and closes every descriptor that is not in it; those become
 * close-on-exec. */
int set_up_boot(int fd, struct boot *ret, struct err *e);
/* monitor.sock in the run directory, or files.sock, listening; or -1 with errno. */
int set_up_listener(int run_fd, bool files_only);
/* A signalfd for SIGTERM, which is blocked. */
int set_up_signals(void);

#endif

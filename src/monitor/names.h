/* names.h - name services that were started for the instance have started, before its main process asks them */
#ifndef MONITOR_NAMES_H
#define MONITOR_NAMES_H

#include "base/err.h"
#include "instance/boot.h"

/* Waits for those of the descriptors names/NETWORK, and closes them: while the container was made they had their time, so
 * there is hardly anything to wait for.  0, or what one of them said. */
int names_await(struct boot *b, struct err *e);

#endif

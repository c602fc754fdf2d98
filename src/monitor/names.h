/* names.h - the networks of the instance are ready, before its main process uses them */
#ifndef MONITOR_NAMES_H
#define MONITOR_NAMES_H

#include "base/err.h"
#include "instance/boot.h"

/* Waits for the descriptors names/NETWORK, of name services that were started for it, and "network", where whoever starts it
 * says that rules and names are there; and closes them.  While the container was made they had their time, so there is hardly
 * anything to wait for.  0, or what one of them said. */
int names_await(struct boot *b, struct err *e);

#endif

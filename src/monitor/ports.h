/* ports.h - sockets that hold published ports, and relays of [::1], come and go while the instance runs */
#ifndef MONITOR_PORTS_H
#define MONITOR_PORTS_H

#include "instance/boot.h"
#include "wire/msg.h"

/* Takes fd (negative: none) under a name that begins with "port/" or "relay6/", lets go of that name, or looks (wire/msg.h; also
 * at "relay6").  -EEXIST; -EBADF: none has come; -EINVAL: another name. */
int ports_change(struct boot *b, enum port_step step, const char *name, int fd);

/* Lets go of all of them. */
void ports_let_go(struct boot *b);

#endif

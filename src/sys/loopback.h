/* loopback.h - the interface lo of a new network namespace */
#ifndef SYS_LOOPBACK_H
#define SYS_LOOPBACK_H

/* 0 or -errno. */
int loopback_up(void);

#endif

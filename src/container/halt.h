/* halt.h - how an init system as process 1 is told to shut down */
#ifndef CONTAINER_HALT_H
#define CONTAINER_HALT_H

#include <stdint.h>
#include <sys/types.h>

#define HALT_SIGNAL 37 /* SIGRTMIN+3 as the kernel counts: systemd's word, and ours for all of them */

/* By the signals that it catches and blocks, as the masks of /proc/PID/status have them:
 *	SIGPWR		caught: sysvinit, whose inittab has to say so, and openrc-init
 *	SIGINT		caught: older openrc-init
 *	SIGRTMIN+3	blocked, to be read: systemd
 * Else SIGPWR, which LXC sends, too: busybox, and so Alpine's OpenRC, waits for signals, which no mask shows. */
int halt_choose(uint64_t caught, uint64_t blocked);
/* The same of a process. */
int halt_signal(pid_t pid);
/* Asks sysvinit for run level 0 as telinit(8) does, by its FIFO: what its inittab runs for SIGPWR need not be there
 * (Debian's /etc/init.d/powerfail never was).  -errno: nobody reads such a FIFO there. */
int halt_by_fifo(pid_t pid);

#endif

/* monitor.h - ketch-monitor: the one process that stands beside a running instance */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

/* Runs the instance described by the boot document (instance/boot.h) in boot_fd, until it has ended.  Returns
 * the exit status of the program. */
int monitor_run(int boot_fd);

#endif

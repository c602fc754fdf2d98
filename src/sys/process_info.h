/* process_info.h - what procfs tells of one process (proc(5)) and of a network namespace */
#ifndef SYS_PROCESS_INFO_H
#define SYS_PROCESS_INFO_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct process_info {
	char comm[64]; /* name of the program */
	char state; /* R, S, D, Z, T ... */
	int ppid;
	int tty; /* device number; 0: none */
	bool of_kernel; /* a thread of its own */
	uint64_t cpu_ticks, start_ticks; /* USER_HZ: a hundredth of a second; start: since the boot */
	uint64_t threads, vsz_bytes, rss_bytes;
};

#define TICK_NS 10000000 /* USER_HZ is 100 on every architecture */

/* The text of /proc/PID/stat.  0 or -EINVAL. */
int process_info_parse(const char *stat, struct process_info *ret);
/* Of the process whose directory is dirfd.  0 or -errno; -ESRCH: it has ended. */
int process_info_read(int dirfd, struct process_info *ret);
/* Does /proc show the processes of the whole machine?  Not with hidepid=, or where it is of a PID namespace. */
bool proc_shows_all(void);
/* The text of /proc/PID/net/dev: bytes of all devices but the loopback. */
void netdev_parse(const char *text, uint64_t *ret_received, uint64_t *ret_sent);

#endif

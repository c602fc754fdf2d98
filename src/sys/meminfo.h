/* meminfo.h - how much memory this machine has, and how much of it is to be had */
#ifndef SYS_MEMINFO_H
#define SYS_MEMINFO_H

#include <stdint.h>

/* MemTotal and MemAvailable of /proc/meminfo (proc_meminfo(5)), in bytes.  0, or -errno: then nothing is set. */
int meminfo_read(uint64_t *ret_total_bytes, uint64_t *ret_available_bytes);
/* The same from its text; -EINVAL when a line is missing. */
int meminfo_parse(const char *text, uint64_t *ret_total_bytes, uint64_t *ret_available_bytes);

#endif

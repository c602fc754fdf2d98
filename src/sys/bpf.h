/* bpf.h - programs that decide on device access of a cgroup v2 */
#ifndef SYS_BPF_H
#define SYS_BPF_H

#include <linux/bpf.h>
#include <stddef.h>

/* Loads n instructions as BPF_PROG_TYPE_CGROUP_DEVICE and attaches them to the cgroup directory; the program
 * goes with the cgroup.  0 or -errno. */
int bpf_attach_device_filter(int cgroup_fd, const struct bpf_insn *insns, size_t n);

#endif

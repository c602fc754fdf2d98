/* bpf.h - runs a seccomp filter outside the kernel: to prove one program equal to another, and for tests
 *
 * Knows what the kernel's action cache knows (seccomp.c, seccomp_is_const_allow) and what libseccomp emits:
 * loads of seccomp_data, jumps, AND, RET.  Anything else, a bad jump or a missing end is -EINVAL.
 */
#ifndef SECCOMP_BPF_H
#define SECCOMP_BPF_H

#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <stdint.h>

int bpf_run(const struct sock_filter *prog, size_t n, const struct seccomp_data *d, uint32_t *ret_action);

#endif

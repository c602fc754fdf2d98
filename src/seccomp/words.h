/* words.h - the words of seccomp profiles and what they mean to the kernel and to libseccomp */
#ifndef SECCOMP_WORDS_H
#define SECCOMP_WORDS_H

#include <stdbool.h>
#include <stdint.h>

#define WORD_FLAG_WAIT_KILLABLE (1u << 5) /* SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV, since Linux 5.19 */

/* "SCMP_ACT_ERRNO" -> SECCOMP_RET_* without its data; *ret_has_errno: an errno can go with it.  -EINVAL. */
int word_action(const char *name, uint32_t *ret, bool *ret_has_errno);
/* "SCMP_CMP_EQ" -> enum scmp_compare.  -EINVAL. */
int word_operator(const char *name, int *ret);
/* "SCMP_ARCH_X86_64" -> libseccomp's token; 0 for one that this libseccomp has no name for.  -EINVAL. */
int word_arch(const char *name, uint32_t *ret);
/* "SECCOMP_FILTER_FLAG_LOG" -> the flag of seccomp(2).  -EINVAL. */
int word_flag(const char *name, uint32_t *ret);
/* "EPERM" -> its number.  -EINVAL. */
int word_errno(const char *name, uint32_t *ret);

#endif

/* seal.h - stage 7 of the jail: what each thread may still ask of the kernel, from before the guest's first instruction
 *
 * A filter per kind of thread, loaded by the thread itself.  Anything else kills the process: there is no way in which a guest
 * could have brought us there in order.
 */
#ifndef VMM_SEAL_H
#define VMM_SEAL_H

#include <stddef.h>

enum seal_kind { SEAL_MAIN, SEAL_WORKER, SEAL_VCPU, SEAL_KINDS };

/* The calling thread.  0 or -1 with errno. */
int seal_thread(enum seal_kind kind);
/* For tests and documentation: the numbers of the system calls of a kind; returns how many, at most max. */
size_t seal_list(enum seal_kind kind, int *ret, size_t max);
/* For measurements only: threads stay unsealed. */
void seal_disable(void);

#endif

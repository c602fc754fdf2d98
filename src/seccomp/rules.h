/* rules.h - what a profile means for one container on this machine: flat lists of rules, one for each ABI; pure
 *
 * Conditions (capabilities, architecture, kernel) are decided, names are numbers, and names that this libseccomp does
 * not know are gone, as with Docker and runc: the default action then answers.
 */
#ifndef SECCOMP_RULES_H
#define SECCOMP_RULES_H

#include <seccomp.h>
#include <stdint.h>

#include "seccomp/profile.h"

#define X32_BIT 0x40000000u /* in the numbers of that ABI */

struct rule {
	int nr; /* as this ABI counts */
	uint32_t action; /* SECCOMP_RET_* with its data */
	size_t order; /* in the profile */
	unsigned n_cmp; /* all must hold; 0: always */
	struct scmp_arg_cmp cmp[6];
};

struct ruleset {
	uint32_t abi; /* SCMP_ARCH_X86_64, SCMP_ARCH_X86, SCMP_ARCH_X32; 0: for libseccomp to translate */
	uint32_t default_action;
	bool has_newer; /* calls above `newest` are ENOSYS */
	uint32_t newest; /* number of the newest call that the profile names */
	struct rule *rules; /* by number; of one number as in the profile */
	size_t n;
};

#define RULES_ABIS 3

/* The ABIs a container may use; others end the process. */
struct rules {
	struct ruleset asked; /* numbers of x86_64, and libseccomp's own for calls that it has not */
	struct ruleset abi[RULES_ABIS]; /* the same by ABI; the first is x86_64 */
	size_t n;
};

/* What conditions are decided by. */
struct rule_facts {
	const struct strv *caps; /* the bounding set */
	const char *kernel_release; /* uname -r */
	bool all_abis; /* those that the profile's architectures list; else x86_64 alone */
};

int rules_make(const struct profile *p, const struct rule_facts *f, struct rules *ret, struct err *e);
void rules_done(struct rules *rs);
/* The rules of an ABI, or NULL: it is not allowed. */
const struct ruleset *rules_find(const struct rules *rs, uint32_t abi);

/* i386 has two doors to a call of sockets or System V IPC: one of its own, since Linux 4.3, and socketcall(2) or ipc(2),
 * which have the call's number in their first argument.  Of the call that libseccomp gives the number `pseudo`:
 * its own number, or -1, and the other door with the number there; false: it is no such call. */
bool rules_mux(int pseudo, int *ret_own, int *ret_door, unsigned *ret_which);

#endif

/* conditions.h - the rules of one call that look at its arguments, as instructions */
#ifndef SECCOMP_CONDITIONS_H
#define SECCOMP_CONDITIONS_H

#include "seccomp/asm.h"
#include "seccomp/rules.h"

/* The rules of one call, each with a condition. */
struct conditions {
	const struct rule *rules;
	size_t n;
	bool narrow; /* the ABI's arguments have 32 bits */
};

/* Emits the block that decides among them; no rule holds: to the label `fail`. */
void conditions_emit(struct assembler *a, const struct conditions *c, int fail);

#endif

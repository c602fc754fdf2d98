/* conditions.h - the rules of one call that look at its arguments, as instructions */
#ifndef SECCOMP_CONDITIONS_H
#define SECCOMP_CONDITIONS_H

#include "seccomp/asm.h"
#include "seccomp/rules.h"

/* Emits the block that decides among n rules, each with a condition; no rule holds: to the label `fail`. */
void conditions_emit(struct assembler *a, const struct rule *rules, size_t n, int fail);

#endif

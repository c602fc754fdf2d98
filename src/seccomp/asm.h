/* asm.h - a small assembler of seccomp's BPF: labels, and one RET for each answer
 *
 * A program is made of sections, each with its RETs behind it: conditional jumps reach 255 instructions.
 * A program that does not fit (jumps are 8 bits wide) makes the assembler `full`; what is emitted afterwards is lost,
 * and asm_finish says so: one check at the end.
 */
#ifndef SECCOMP_ASM_H
#define SECCOMP_ASM_H

#include <stdbool.h>

#include "base/buf.h"
#include "seccomp/bpf.h"

#define ASM_NEXT (-1) /* as a label: the next instruction */

struct assembler;

struct assembler *asm_new(void); /* NULL: out of memory */
struct assembler *asm_free(struct assembler *a);
int asm_label(struct assembler *a);
/* The label is the next instruction. */
void asm_place(struct assembler *a, int label);
/* The label of "return this action" in this section. */
int asm_ret(struct assembler *a, uint32_t action);
/* Loads 32 bits of seccomp_data. */
void asm_load(struct assembler *a, uint32_t off);
void asm_and(struct assembler *a, uint32_t mask);
/* op: BPF_JEQ, BPF_JGT, BPF_JGE. */
void asm_jump(struct assembler *a, uint16_t op, uint32_t k, int yes, int no);
/* Goes to the label from any distance. */
void asm_goto(struct assembler *a, int label);
/* The section ends: its RETs are here. */
void asm_end_section(struct assembler *a);
void asm_give_up(struct assembler *a);
bool asm_is_full(const struct assembler *a);
/* Appends the program.  -E2BIG, -ENOMEM. */
int asm_finish(struct assembler *a, struct buf *ret);

#endif

/* kvm_guest.S - a guest of 64-bit code that does, in a millisecond, what a stock kernel cannot do without
 *
 * Never runs on the host: kvm_probe.c copies it into guest memory at GUEST_CODE.  Position-independent.  %rcx counts
 * the rounds of the loop down, so that a guest which is stopped can be asked how far it came.
 */
#include <cet.h>

#include "kvm_guest.h"

	.section .rodata
	.balign 16
	.globl kvm_guest_code, kvm_guest_bytes, kvm_guest_page_fault, kvm_guest_exception
	.hidden kvm_guest_code, kvm_guest_bytes, kvm_guest_page_fault, kvm_guest_exception
kvm_guest_code:
	movl	$STAGE_CPUID, GUEST_STAGE
	xorl	%eax, %eax
	cpuid
	movl	$1, %eax
	xorl	%ecx, %ecx
	cpuid
	movl	%ecx, %r8d			/* features: only what is there is tried */

	movl	$STAGE_MSR, GUEST_STAGE
	movl	$0xc0000080, %ecx		/* EFER: set SCE, as every kernel does */
	rdmsr
	orl	$1, %eax
	wrmsr
	movl	$0x1b, %ecx			/* APIC base */
	rdmsr
	wrmsr

	movl	$STAGE_CMPXCHG16B, GUEST_STAGE
	btl	$13, %r8d
	jnc	1f
	xorl	%eax, %eax
	xorl	%edx, %edx
	movl	$1, %ebx
	movl	$2, %ecx
	movl	$GUEST_WORD, %esi
	lock cmpxchg16b (%rsi)
1:
	movl	$STAGE_XSAVE, GUEST_STAGE
	btl	$26, %r8d
	jnc	1f
	movq	%cr4, %rax
	orl	$0x40600, %eax			/* OSXSAVE, OSXMMEXCPT, OSFXSR */
	movq	%rax, %cr4
	xorl	%ecx, %ecx
	xgetbv
	orl	$3, %eax			/* x87 and SSE */
	xsetbv
	movl	$3, %eax
	xorl	%edx, %edx
	movl	$GUEST_XSAVE, %esi
	xsave	(%rsi)
	xrstor	(%rsi)
1:
	movl	$STAGE_FAR_RETURN, GUEST_STAGE
	pushq	$8
	leaq	1f(%rip), %rax
	pushq	%rax
	lretq
1:
	movl	$STAGE_PAGE_FAULT, GUEST_STAGE
	movl	$GUEST_HOLE, %esi
	incl	(%rsi)

	movl	$STAGE_LOOP, GUEST_STAGE
	movl	$LOOP_ROUNDS, %ecx
	movl	$GUEST_WORD, %esi
	outb	%al, $PORT_LOOP_BEGINS
1:	addq	%rcx, (%rsi)			/* LOOP_INSTRUCTIONS */
	movl	(%rsi), %eax
	bswapl	%eax
	decq	%rcx
	jnz	1b
	outb	%al, $PORT_LOOP_ENDS
1:	hlt
	jmp	1b

page_fault:					/* maps the hole onto the first 2 MiB */
	movq	$0x83, GUEST_PD + 8
	addq	$8, %rsp			/* the error code */
	iretq

exception:
	outb	%al, $PORT_EXCEPTION
1:	hlt
	jmp	1b
end:

	.balign 4				/* for C: where in the code, and how much there is */
kvm_guest_bytes:	.long end - kvm_guest_code
kvm_guest_page_fault:	.long page_fault - kvm_guest_code
kvm_guest_exception:	.long exception - kvm_guest_code

	.section .note.GNU-stack, "", @progbits

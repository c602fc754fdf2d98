/* start.S - the entry point of ketch-oci: the data that relocation writes to page by page is made present at once
 *
 * A page fault takes half a microsecond on bare hardware, but up to 35 in a virtual machine whose host shadows its page
 * tables.  The range is what the linker says.  A kernel before 5.14 refuses, and nothing is lost.
 */
#include <cet.h>

#define SYS_madvise	    28
#define MADV_POPULATE_WRITE 23

	.text
	.globl	ketch_start
	.type	ketch_start, @function
ketch_start:
	.cfi_startproc
	.cfi_undefined rip
	_CET_ENDBR
	movq	%rdx, %r8		/* is for _start; a system call leaves r8 alone */

	leaq	__init_array_start(%rip), %rdi
	andq	$-4096, %rdi
	leaq	_end+4095(%rip), %rsi
	subq	%rdi, %rsi
	andq	$-4096, %rsi
	movl	$MADV_POPULATE_WRITE, %edx
	movl	$SYS_madvise, %eax
	syscall

	movq	%r8, %rdx
	jmp	_start
	.cfi_endproc
	.size	ketch_start, . - ketch_start

	.section .note.GNU-stack, "", @progbits

/* pvh_guest.S - a PVH kernel: says at a port what it found, then halts
 *
 * Freestanding, linked where KERNEL_LOWEST is.  test_registers.c has the ports and what must come.
 */
	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	start

	.text
	.code32
	.globl	start
start:
	movl	(%ebx), %eax		/* the magic number of the start info */
	outl	%eax, $0x80
	movl	4(%ebx), %eax		/* its version */
	outl	%eax, $0x80
	movl	24(%ebx), %esi		/* the command line: its first four bytes */
	movl	(%esi), %eax
	outl	%eax, $0x80
	movl	%cr0, %eax
	outl	%eax, $0x80
	movl	%cr4, %eax
	outl	%eax, $0x80
	xorl	%eax, %eax
	str	%ax
	outl	%eax, $0x80
	movw	%ds, %ax		/* reloads them all from the descriptor table */
	movw	%ax, %ds
	movw	%ax, %es
	movw	%ax, %ss
	pushl	%cs
	pushl	$1f
	lret
1:	movl	$0x600d, %eax
	outl	%eax, $0x80
	hlt
	.section .note.GNU-stack, "", @progbits

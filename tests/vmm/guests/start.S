/* start.S - entry of a test guest: 32 bits, no paging, interrupts off (the PVH boot protocol) */
	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18
	.asciz	"Xen"
	.long	start

	.text
	.code32
	.globl	start
start:
	movl	$stack_end, %esp
	pushl	%ebx			/* the start info */
	call	guest_main
1:	hlt
	jmp	1b

	.bss
	.balign	16
	.skip	65536
stack_end:
	.section .note.GNU-stack, "", @progbits

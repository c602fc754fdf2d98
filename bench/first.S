/* first.S - the smallest guest: its first instructions write a byte to the serial port, then it waits for its end */
	.code32
	.globl	_start
_start:	mov	$0x3f8, %dx
	mov	$'1', %al
	out	%al, %dx
1:	hlt
	jmp	1b

	/* where to enter it: XEN_ELFNOTE_PHYS32_ENTRY */
	.section .note.pvh, "a", @note
	.long	4, 4, 18
	.asciz	"Xen"
	.long	_start

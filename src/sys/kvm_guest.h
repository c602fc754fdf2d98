/* kvm_guest.h - the probe guest's memory map and its few words to us; shared by C and assembly */
#ifndef SYS_KVM_GUEST_H
#define SYS_KVM_GUEST_H

#define GUEST_GDT   0x1000
#define GUEST_IDT   0x2000
#define GUEST_PML4  0x3000
#define GUEST_PDPT  0x4000
#define GUEST_PD    0x5000
#define GUEST_XSAVE 0x6000
#define GUEST_STAGE 0x8000 /* u32: what it is doing, enum below */
#define GUEST_WORD  0x8040 /* 16 bytes to work on */
#define GUEST_CODE  0x10000
#define GUEST_STACK 0x1f000 /* its top */
#define GUEST_HOLE  0x200000 /* not mapped until the page fault */

#define PORT_LOOP_BEGINS 0x10
#define PORT_LOOP_ENDS	 0x11
#define PORT_EXCEPTION	 0x12

#define STAGE_CPUID	 1
#define STAGE_MSR	 2
#define STAGE_CMPXCHG16B 3
#define STAGE_XSAVE	 4
#define STAGE_FAR_RETURN 5
#define STAGE_PAGE_FAULT 6
#define STAGE_LOOP	 7

#define LOOP_ROUNDS	  2000000
#define LOOP_INSTRUCTIONS 5 /* of one round */

#endif

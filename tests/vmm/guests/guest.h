/* guest.h - what a test guest stands on: words on the serial port, ports, random numbers, its RAM, its end
 *
 *	2 MiB to 4 MiB	the guest itself
 *	16 MiB on	the arena: whatever devices read and write
 *
 * Without paging and interrupts: who waits, polls.
 */
#ifndef GUEST_H
#define GUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GUEST_START 0x200000u
#define GUEST_END   0x400000u
#define ARENA	    0x1000000u

#define LEN_OF(a) (sizeof(a) / sizeof((a)[0]))

struct guest {
	const char *cmdline;
	uint32_t low_end; /* of the RAM below 4 GiB */
};

extern struct guest guest;

void *memcpy(void *to, const void *from, size_t n);
void *memset(void *to, int c, size_t n);
int memcmp(const void *a, const void *b, size_t n);
bool same(const char *a, const char *b);

void out8(uint16_t port, uint8_t v);
uint8_t in8(uint16_t port);
void out32(uint16_t port, uint32_t v);
uint32_t in32(uint16_t port);

void say(const char *text);
void say_number(uint32_t v);
/* Tells the harness what went wrong and ends the machine as a kernel's panic does. */
_Noreturn void fail(const char *why);
/* Between two looks at what somebody else changes; fails after some seconds. */
struct patience {
	uint32_t n;
	const char *what;
};
void wait_a_little(struct patience *p);

void random_seed(uint32_t seed);
uint32_t random32(void);
uint32_t random_below(uint32_t n);

/* device=memory (use_memory.c). */
_Noreturn void use_memory(void);

/* The value of KEY=VALUE on the command line: copied to ret, "" where there is none. */
void option(const char *key, char *ret, size_t n);
uint32_t option_number(const char *key);

#endif

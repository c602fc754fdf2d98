/* runtime.c - what a test guest stands on */
#include "guest.h"

#define SERIAL	   0x3f8
#define PVPANIC	   0x505
#define KEYBOARD   0x64 /* always idle: reading it leaves the guest, which lets others run */
#define SPINS	   64
#define MOST_WAITS 200000

struct guest guest;
static uint32_t state;

/* --- bytes */

void *memcpy(void *to, const void *from, size_t n)
{
	volatile uint8_t *t = to;
	const uint8_t *f = from;

	while (n--)
		*t++ = *f++;
	return to;
}

void *memset(void *to, int c, size_t n)
{
	volatile uint8_t *t = to;

	while (n--)
		*t++ = (uint8_t)c;
	return to;
}

int memcmp(const void *a, const void *b, size_t n)
{
	const volatile uint8_t *p = a, *q = b;

	for (; n; n--, p++, q++)
		if (*p != *q)
			return *p < *q ? -1 : 1;
	return 0;
}

bool same(const char *a, const char *b)
{
	while (*a && *a == *b) {
		a++;
		b++;
	}
	return *a == *b;
}

/* --- ports */

void out8(uint16_t port, uint8_t v)
{
	__asm__ volatile("outb %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

uint8_t in8(uint16_t port)
{
	uint8_t v;

	__asm__ volatile("inb %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

void out32(uint16_t port, uint32_t v)
{
	__asm__ volatile("outl %0, %1" : : "a"(v), "Nd"(port) : "memory");
}

uint32_t in32(uint16_t port)
{
	uint32_t v;

	__asm__ volatile("inl %1, %0" : "=a"(v) : "Nd"(port) : "memory");
	return v;
}

/* --- words */

void say(const char *text)
{
	while (*text)
		out8(SERIAL, (uint8_t)*text++);
}

void say_number(uint32_t v)
{
	char text[11], *at = text + sizeof(text) - 1;

	*at = '\0';
	do
		*--at = (char)('0' + v % 10);
	while (v /= 10);
	say(at);
}

void fail(const char *why)
{
	say("FAIL ");
	say(why);
	say("\n");
	for (;;)
		out8(PVPANIC, 1);
}

void wait_a_little(struct patience *p)
{
	for (unsigned i = 0; i < SPINS; i++)
		__asm__ volatile("pause");
	in8(KEYBOARD);
	if (++p->n > MOST_WAITS)
		fail(p->what);
}

/* --- random numbers: xorshift32 */

void random_seed(uint32_t seed)
{
	state = seed ? seed : 1;
}

uint32_t random32(void)
{
	state ^= state << 13;
	state ^= state >> 17;
	state ^= state << 5;
	return state;
}

uint32_t random_below(uint32_t n)
{
	return random32() % n;
}

/* --- the command line */

static bool starts(const char *text, const char *key)
{
	while (*key && *text == *key) {
		text++;
		key++;
	}
	return !*key && *text == '=';
}

void option(const char *key, char *ret, size_t n)
{
	const char *at = guest.cmdline;
	size_t i = 0;

	while (*at && !starts(at, key)) {
		while (*at && *at != ' ')
			at++;
		while (*at == ' ')
			at++;
	}
	while (*at && *at != '=')
		at++;
	while (*at && *++at && *at != ' ' && i < n - 1)
		ret[i++] = *at;
	ret[i] = '\0';
}

uint32_t option_number(const char *key)
{
	char text[16];
	uint32_t v = 0;

	option(key, text, sizeof(text));
	for (const char *at = text; *at >= '0' && *at <= '9'; at++)
		v = v * 10 + (uint32_t)(*at - '0');
	return v;
}

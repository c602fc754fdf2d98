/* cpu_id.c - which processor this is: CPUID of x86 */
#include "sys/cpu_id.h"

#ifdef __x86_64__

#include <cpuid.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#define NAME_LEAF 0x80000002U /* and the two behind it: 16 letters each */

struct leaf {
	uint32_t a, b, c, d;
};

static struct leaf get(uint32_t function)
{
	struct leaf l = { 0 };

	if (__get_cpuid_count(function, 0, &l.a, &l.b, &l.c, &l.d) == 0)
		l = (struct leaf){ 0 };
	return l;
}

void cpu_id(char ret[CPU_ID_MAX])
{
	struct leaf version = get(1), more = get(7), extended = get(0x80000001U);
	char name[3 * sizeof(struct leaf) + 1] = "";

	for (uint32_t i = 0; i < 3; i++) {
		struct leaf l = get(NAME_LEAF + i);

		memcpy(name + i * sizeof(l), &l, sizeof(l));
	}
	snprintf(ret, CPU_ID_MAX, "%s %x %x %x %x %x %x %x %x", name, version.a, version.c, version.d, more.b,
		 more.c, more.d, extended.c, extended.d);
}

#else

void cpu_id(char ret[CPU_ID_MAX])
{
	*ret = '\0';
}

#endif

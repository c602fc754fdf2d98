/* fuzz_vm_control.c - bytes of a VMM that may be in its guest's hands: bounded lines, printable errors */
#include <assert.h>
#include <stdlib.h>

#include "vm/control.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void on_answer(void *arg, const char *error)
{
	unsigned *answers = arg;

	(*answers)++;
	for (; error && *error; error++)
		assert((unsigned char)*error >= ' ' && *error != 0x7f);
}

static void on_migrated(void *arg, bool well)
{
	unsigned *answers = arg;

	(*answers)++;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	unsigned answers = 0;
	struct vm_control c = { .watch.fd = -1,
				.early = size & 1,
				.answered = on_answer,
				.migrated = on_migrated,
				.arg = &answers };

	vm_control_feed(&c, (const char *)data, size);
	assert(answers <= size && c.n < CONTROL_LINE);
	return 0;
}

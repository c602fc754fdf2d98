/* fuzz_guest_config.c - the config that a guest gets: taken whole or refused */
#include <stdint.h>
#include <stdlib.h>

#include "instance/guest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct guest_config c = { 0 };
	struct err e;
	size_t n;

	if (guest_config_parse((const char *)data, size, &c, &e) == 0 && c.seccomp)
		free(guest_config_filter(&c, &n));
	json_done(&guest_config_table, &c);
	return 0;
}

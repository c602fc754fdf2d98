/* fuzz_process_list.c - a list of processes that a guest sends: taken whole or refused */
#include <stdlib.h>

#include "instance/process_list.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct process_list l = { 0 };
	struct err e = { 0 };

	if (process_list_parse((const char *)data, size, &l, &e) == 0)
		process_list_parse((const char *)data, size, &l, &e);
	for (size_t i = 0; i < l.n; i++)
		if (l.v[i].pid <= 0 || !l.v[i].args || !l.v[i].state)
			abort();
	process_list_done(&l);
	return 0;
}

/* fuzz_registries.c - any bytes as registries.conf: refused with a place, or rules that move names within hosts */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "registry/registries.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[] = { "docker.io/library/x", "a.example:5000/x/y", "x.b.example/z" };
	AUTO(registries_done) struct registries r = { 0 };
	struct err e = { 0 };

	if (registries_parse("f", (const char *)data, size, &r, &e) < 0) {
		if (strncmp(e.msg, "f:", 2) != 0)
			abort();
		return 0;
	}
	for (size_t i = 0; i < ARRAY_LEN(names); i++) {
		const struct registry_rule *rule = registries_find(&r, names[i]);
		autofree char *to = rule ? registry_rule_move(rule, rule->location, names[i]) : NULL;

		if (rule && (!to || strstr(to, "://") || !*to))
			abort();
	}
	return 0;
}

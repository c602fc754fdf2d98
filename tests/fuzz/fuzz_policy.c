/* fuzz_policy.c - any bytes as policy.json: refused, or rules that are whole */
#include <stdint.h>
#include <stdlib.h>

#include "base/auto.h"
#include "registry/policy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	AUTO(policy_done) struct policy p = { 0 };
	struct err e = { 0 };

	if (policy_parse((const char *)data, size, "docker.io/library/x", "1", &p, &e) < 0)
		return 0;
	if (!p.n_rules)
		abort();
	for (size_t i = 0; i < p.n_rules; i++) {
		const struct policy_rule *r = &p.rules[i];
		bool keys = r->key_data || r->key_paths.n;

		if (r->type < POLICY_ACCEPT || r->type > POLICY_SIGSTORE ||
		    keys != (r->type == POLICY_SIGNED_BY || r->type == POLICY_SIGSTORE))
			abort();
	}
	return 0;
}

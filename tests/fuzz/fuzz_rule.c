/* fuzz_rule.c - any text as a rule of --allow and as a rate: refused in one line, or the same again when printed */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "network/rate.h"
#include "network/rule.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_again(const struct net_rule *r)
{
	struct buf first = { 0 }, second = { 0 };
	struct net_rule again = { 0 };
	struct err e;

	if (rule_print(r, &first) < 0 || rule_parse(first.data, r->allow, &again, &e) < 0 ||
	    rule_print(&again, &second) < 0 || strcmp(first.data, second.data) != 0)
		abort();
	rule_done(&again);
	buf_done(&first);
	buf_done(&second);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = strndup((const char *)data, size);
	struct net_rate rate = { 0 };
	struct net_rule r = { 0 };
	struct err e = { 0 };

	if (!text)
		return 0;
	if (rule_parse(text, true, &r, &e) == 0)
		check_again(&r);
	else if (strchr(e.msg, '\n'))
		abort();
	rule_done(&r);
	rate_parse(text, &rate, &e);
	free(text);
	return 0;
}

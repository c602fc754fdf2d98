/* request_egress.c - --egress: the names outside that an instance may reach */
#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "engine/request_int.h"
#include "network/names_table.h"

/* Nothing else stands beside it. */
static bool is_none(const char *word)
{
	return !strcmp(word, "none");
}

static int take_name(const char *word, struct net_spec *n, struct err *e)
{
	struct names_pattern p;
	struct in_addr address;

	if (inet_pton(AF_INET, word, &address) == 1)
		return err_set(e, EINVAL,
			       "--egress: '%.80s' is an address: --allow out:%.80s lets it be reached", word,
			       word);
	if (is_none(word))
		return err_set(e, EINVAL, "--egress none: other names are given, too");
	if (!names_pattern_parse(word, &p) || p.name.labels < (p.wildcard ? 1 : 2))
		return err_set(
			e, EINVAL,
			"--egress: '%.80s' is no name outside: example.org, *.example.org, none or learn",
			word);
	return strv_has(&n->egress, word) || strv_add(&n->egress, word) == 0
		       ? 0
		       : err_set(e, ENOMEM, "out of memory");
}

int request_egress(const struct strv *words, struct net_spec *n, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < words->n && r == 0; i++) {
		n->egress_given = true;
		if (!strcmp(words->v[i], "learn"))
			n->egress_learn = true;
		else if (!is_none(words->v[i]) || words->n > 1)
			r = take_name(words->v[i], n, e);
	}
	return r;
}

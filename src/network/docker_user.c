/* docker_user.c - our bridges in Docker's chain for others, DOCKER-USER, as iptables-nft would write them; where Docker has
 * iptables-legacy, docker_legacy.c does */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "network/firewall_int.h"
#include "network/forwarding.h"

#define TABLE "filter"
#define CHAIN "DOCKER-USER"
#define OURS  "ketch " /* the comment of our rules goes on with the bridge */

static const struct {
	uint8_t family;
	const char *name;
} families[] = { { NFPROTO_IPV4, "ip" }, { NFPROTO_IPV6, "ip6" } };

static bool has(const struct nft_rule *rules, size_t n, const char *bridge)
{
	for (size_t i = 0; i < n; i++)
		if (!strncmp(rules[i].comment, OURS, strlen(OURS)) &&
		    !strcmp(rules[i].comment + strlen(OURS), bridge))
			return true;
	return false;
}

/* In the order of the chain. */
static const char *const rule_forms[] = {
	"iifname \"%s\" oifname \"docker0\" counter return",
	"iifname \"%s\" oifname \"br-*\" counter return",
	"iifname \"%s\" counter accept",
	"oifname \"%s\" counter accept",
};

/* The rules that are missing in one family; each is put in front of those before. */
static int add_missing(int fd, size_t family, const struct fw_network *networks, size_t n, struct buf *script)
{
	autofree struct nft_rule *rules = NULL;
	size_t n_rules = 0;
	int r = nft_rules(fd, families[family].family, TABLE, CHAIN, &rules, &n_rules);

	for (size_t i = 0; i < n && r == 0; i++)
		for (size_t k = ARRAY_LEN(rule_forms); k-- > 0 && !has(rules, n_rules, networks[i].bridge);) {
			buf_addf(script, "insert rule %s " TABLE " " CHAIN " ", families[family].name);
			buf_addf(script, rule_forms[k], networks[i].bridge);
			buf_addf(script, " comment \"" OURS "%s\"\n", networks[i].bridge);
		}
	return r == -ENOENT ? 0 : r;
}

int docker_user_ensure(const struct fw_network *networks, size_t n, struct err *e)
{
	AUTO(buf_done) struct buf script = { 0 };
	autoclose int fd = nft_open();
	int r = fd < 0 ? fd : 0;

	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++)
		r = add_missing(fd, i, networks, n, &script);
	if (r < 0)
		return err_sys(e, -r, "chain " CHAIN);
	if (!buf_ok(&script))
		return err_set(e, ENOMEM, "out of memory");
	if (script.len)
		r = fw_run_nft(&script, e);
	return r < 0 ? r : docker_legacy_ensure(networks, n, e);
}

int docker_user_remove(const struct fw_network *n, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	autoclose int fd = nft_open();
	int r = fd < 0 ? fd : 0;

	docker_legacy_remove(n);
	nft_begin(&b);
	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0; i++) {
		autofree struct nft_rule *rules = NULL;
		size_t n_rules = 0;

		r = nft_rules(fd, families[i].family, TABLE, CHAIN, &rules, &n_rules);
		for (size_t k = 0; k < n_rules && r == 0; k++)
			if (has(&rules[k], 1, n->bridge))
				nft_rule_remove(&b, families[i].family, TABLE, CHAIN, rules[k].handle);
		r = r == -ENOENT ? 0 : r;
	}
	if (r == 0 && b.n > 1) {
		nft_end(&b);
		r = nl_run(fd, &b, NULL);
	}
	return r < 0 ? err_sys(e, -r, "chain " CHAIN) : 0;
}

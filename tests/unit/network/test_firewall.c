/* test_firewall.c - the rule set as text against tests/golden/firewall*.nft, and rules cut into pieces
 *
 * KETCH_GOLDEN_UPDATE=1 writes the files anew; look at the difference before committing it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>

#include "../cm.h"
#include "base/auto.h"
#include "base/io.h"
#include "network/firewall_int.h"

static struct fw_network networks[] = {
	{ "11111111111111111111111111111111", "kt-web", "10.88.0.0/24", "fd88::/64", false, true, true },
	{ "22222222222222222222222222222222", "kt-db", "10.89.0.0/24", NULL, true, true, false },
};

static struct published_port published[] = {
	{ .protocol = PORT_TCP, .host_ip = (char[]){ "0.0.0.0" }, .host_port = 8080, .port = 80 },
	{ .protocol = PORT_UDP, .host_ip = (char[]){ "192.168.7.1" }, .host_port = 5353, .port = 53 },
	{ .protocol = PORT_TCP, .host_ip = (char[]){ "::" }, .host_port = 8080, .port = 80 },
	{ .protocol = PORT_TCP, .host_ip = (char[]){ "::1" }, .host_port = 8081, .port = 80 }, /* a relay's */
};

static struct net_rule rules[] = {
	{ .allow = true, .protocol = (char[]){ "tcp" }, .port_first = 80, .port_last = 90 },
	{ .allow = true, .peer = (char[]){ "10.88.0.7" } },
	{ .out = true, .peer = (char[]){ "10.0.0.0/8" } },
	{ .out = true, .port_first = 25, .port_last = 25 },
	{ .out = true, .protocol = (char[]){ "icmp" }, .peer = (char[]){ "fd00::/8" } },
};

static struct net_port given = {
	.link = (char[]){ "kv0123456789" },
	.mac = (char[]){ "02:42:0a:58:00:05" },
	.address = (char[]){ "10.88.0.5/24" },
	.address6 = (char[]){ "fd88::5/64" },
};

static struct fw_port web(void)
{
	return (struct fw_port){ .instance = "0123456789abcdef",
				 .network = &networks[0],
				 .given = &given,
				 .published = published,
				 .n_published = ARRAY_LEN(published),
				 .rules = rules,
				 .n_rules = ARRAY_LEN(rules),
				 .egress = true };
}

static void assert_golden(const char *name, const struct fw_model *m)
{
	AUTO(buf_done) struct buf out = { 0 }, want = { 0 };
	autofree char *path = str_printf("%s/%s", GOLDEN_DIR, name);
	struct err e;

	assert_int_equal(firewall_script(m, &out, &e), 0);
	if (getenv("KETCH_GOLDEN_UPDATE"))
		assert_int_equal(write_file_swap(AT_FDCWD, path, 0644, out.data, out.len), 0);
	assert_int_equal(read_file(AT_FDCWD, path, 1 << 20, &want), 0);
	assert_string_equal(out.data, want.data);
}

static void nothing_but_chains(void **state)
{
	assert_golden("firewall-empty.nft", &(struct fw_model){ .table = "ketch" });
}

static void two_networks_and_a_guarded_instance(void **state)
{
	struct fw_port port = web();
	struct fw_model m = { .table = "ketch-1a2b3c4d",
			      .networks = networks,
			      .n_networks = ARRAY_LEN(networks),
			      .ports = &port,
			      .n_ports = 1,
			      .guard = FW_GUARD4 };

	assert_int_equal(strv_add(&m.apart, "eth0") + strv_add(&m.apart, "eth1"), 0);
	assert_golden("firewall.nft", &m);
	strv_done(&m.apart);
}

static void what_is_no_address_is_refused(void **state)
{
	struct net_port bad = given;
	struct fw_port port = web();
	struct fw_model m = {
		.table = "ketch", .networks = networks, .n_networks = 1, .ports = &port, .n_ports = 1
	};
	AUTO(buf_done) struct buf out = { 0 };
	struct err e;

	bad.address = (char[]){ "10.88.0.500/24" };
	port.given = &bad;
	assert_int_equal(firewall_script(&m, &out, &e), -EINVAL);
}

/* --- rules: what the elements hold is what the rules say, for any point, and no two elements of a set overlap */

struct point {
	uint32_t peer;
	uint8_t protocol;
	uint16_t port;
};

static bool rule_holds(const struct net_rule *r, const struct point *p)
{
	struct ip_prefix prefix;
	struct ip peer = { .family = AF_INET };

	for (int i = 0; i < 4; i++)
		peer.bytes[i] = (uint8_t)(p->peer >> (24 - 8 * i));
	if (r->peer && (ip_parse_prefix(r->peer, &prefix) < 0 || !ip_contains(&prefix, &peer)))
		return false;
	if (r->protocol && p->protocol != (!strcmp(r->protocol, "tcp")	 ? IPPROTO_TCP
					   : !strcmp(r->protocol, "udp") ? IPPROTO_UDP
									 : IPPROTO_ICMP))
		return false;
	if (!r->port_last)
		return true;
	return (p->protocol == IPPROTO_TCP || p->protocol == IPPROTO_UDP) && p->port >= r->port_first &&
	       p->port <= r->port_last;
}

/* How many elements of the set hold it. */
static unsigned elements_hold(const struct fw_elements *l, int set, const struct point *p)
{
	uint8_t key[16] = { 10, 88, 0, 5 };
	uint32_t peer = htonl(p->peer);
	uint16_t port = htons(p->port);
	unsigned n = 0;

	memcpy(key + 4, &peer, 4);
	key[8] = p->protocol;
	memcpy(key + 12, &port, 2);
	for (size_t i = 0; i < l->n; i++) {
		bool in = l->v[i].set == set;

		for (int at = 0; at < 16 && in; at += 4)
			in = memcmp(key + at, l->v[i].el.key + at, 4) >= 0 &&
			     memcmp(key + at, l->v[i].el.end + at, 4) <= 0;
		n += in;
	}
	return n;
}

static uint32_t random_below(uint64_t *seed, uint32_t n)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33) % n;
}

static void pieces_hold_what_the_rules_say(void **state)
{
	static const char *const protocols[] = { NULL, "tcp", "udp", "icmp" };
	static const char *const peers[] = {
		NULL,		"10.0.0.0/8",	"10.88.0.0/16", "10.88.0.64/26",
		"10.88.0.7/32", "0.0.0.0/1",	"128.0.0.0/1",	"10.88.0.0/30",
		"10.88.0.6/31", "10.128.0.0/9", "0.0.0.0/0",	"255.255.255.255/32"
	};
	struct ip own = { AF_INET, { 10, 88, 0, 5 } };
	uint64_t seed = 1;

	for (int round = 0; round < 300; round++) {
		AUTO(fw_elements_done) struct fw_elements l = { 0 };
		struct net_rule some[8] = { 0 };
		size_t n = 1 + random_below(&seed, ARRAY_LEN(some));
		struct fw_port port = { .instance = "x", .given = &given, .rules = some, .n_rules = n };

		for (size_t i = 0; i < n; i++) {
			some[i].allow = random_below(&seed, 2);
			some[i].protocol = (char *)(uintptr_t)protocols[random_below(&seed, 4)];
			some[i].peer = (char *)(uintptr_t)peers[random_below(&seed, ARRAY_LEN(peers))];
			if (random_below(&seed, 2) &&
			    !(some[i].protocol && !strcmp(some[i].protocol, "icmp"))) {
				some[i].port_first = 1 + random_below(&seed, 100);
				some[i].port_last = some[i].port_first + random_below(&seed, 20);
			}
		}
		fw_rule_elements(&port, &own, &l);
		assert_int_equal(l.r, 0);
		for (int k = 0; k < 500; k++) {
			static const uint8_t numbers[] = { IPPROTO_TCP, IPPROTO_UDP, IPPROTO_ICMP, 47 };
			struct point p = { k & 1 ? 0x0a580000 + random_below(&seed, 130)
						 : random_below(&seed, 0x7fffffff) * 2,
					   numbers[random_below(&seed, 4)],
					   (uint16_t)random_below(&seed, 130) };

			for (int allow = 0; allow < 2; allow++) {
				bool want = false;

				for (size_t i = 0; i < n; i++)
					want |= some[i].allow == allow && rule_holds(&some[i], &p);
				assert_int_equal(elements_hold(&l, allow ? FW_ALLOW_IN4 : FW_DENY_IN4, &p),
						 want);
			}
		}
	}
}

/* --- answers of the kernel */

static void an_answer_that_is_cut_off_is_refused_or_empty(void **state)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	const struct nft_set s = { NFPROTO_INET, "ketch", "published4" };
	struct nft_element el = {
		.key = { 6 }, .key_len = 12, .data = { 10 }, .data_len = 8, .comment = "me"
	};
	struct nft_element *list = NULL;
	size_t n = 0, len;

	nft_element_add(&b, &s, &el);
	assert_true(buf_ok(&b.bytes));
	assert_int_equal(nft_elements_parse((void *)b.bytes.data, &list, &n), 0);
	assert_int_equal(n, 1);
	assert_memory_equal(list[0].key, el.key, sizeof(el.key));
	assert_string_equal(list[0].comment, "me");
	len = b.bytes.len;
	for (size_t cut = NLMSG_HDRLEN; cut < len; cut++) {
		struct nlmsghdr *m = (void *)b.bytes.data;

		m->nlmsg_len = (uint32_t)cut;
		n = 0;
		nft_elements_parse(m, &list, &n);
		assert_true(n <= 1);
	}
	free(list);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_but_chains),
		cmocka_unit_test(two_networks_and_a_guarded_instance),
		cmocka_unit_test(what_is_no_address_is_refused),
		cmocka_unit_test(pieces_hold_what_the_rules_say),
		cmocka_unit_test(an_answer_that_is_cut_off_is_refused_or_empty),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

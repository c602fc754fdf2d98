/* rule.c - --allow and --deny: words to struct and back, and what contradicts itself */
#include "network/rule.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/ip.h"
#include "base/parse.h"

#define FORM	 "wanted [in|out:][tcp|udp|icmp:][PEER][:PORT[-PORT]]"
#define PORT_MAX 65535

void rule_done(struct net_rule *r)
{
	free(r->protocol);
	free(r->peer);
	*r = (struct net_rule){ 0 };
}

/* Cuts the next word off *rest, which is NULL behind the last; what is in brackets is one word, without them. */
static char *next_word(char **rest, bool *ret_bracket)
{
	char *word = *rest, *end;

	*ret_bracket = *word == '[';
	if (*ret_bracket) {
		end = strchr(++word, ']');
		if (!end || (end[1] && end[1] != ':'))
			return NULL;
		*rest = end[1] ? end + 2 : NULL;
		*end = '\0';
		return word;
	}
	end = strchr(word, ':');
	*rest = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return word;
}

static bool is_port_word(const char *s)
{
	return *s && strspn(s, "0123456789-") == strlen(s) && strspn(s, "0123456789");
}

static int take_ports(char *word, struct net_rule *r)
{
	char *dash = strchr(word, '-');

	if (dash)
		*dash++ = '\0';
	if (parse_u32(word, &r->port_first) < 0 || parse_u32(dash ? dash : word, &r->port_last) < 0 ||
	    !r->port_first || r->port_last > PORT_MAX || r->port_first > r->port_last)
		return -EINVAL;
	return 0;
}

static bool is_address(const char *s)
{
	struct ip_prefix p;
	struct ip ip;

	return ip_parse_prefix(s, &p) == 0 || ip_parse(s, &ip) == 0;
}

bool rule_peer_is_address(const struct net_rule *r)
{
	return r->peer && is_address(r->peer);
}

static int take_peer(const char *word, bool bracket, struct net_rule *r)
{
	if (bracket ? !strchr(word, ':') || !is_address(word) : !is_address(word) && !is_instance_name(word))
		return -EINVAL;
	r->peer = strdup(word);
	return r->peer ? 0 : -ENOMEM;
}

/* Words in their order; each may be missing. */
static int take_words(char *rest, struct net_rule *r)
{
	static const char *const protocols[] = { "tcp", "udp", "icmp" };
	enum { WAY, PROTOCOL, PEER, PORT, END } at = WAY;
	int err = 0;

	while (rest && err == 0) {
		bool bracket, known = false;
		char *word = next_word(&rest, &bracket);

		if (!word)
			return -EINVAL;
		if (at == WAY && !bracket && (!strcmp(word, "in") || !strcmp(word, "out"))) {
			r->out = !strcmp(word, "out");
			at = PROTOCOL;
			continue;
		}
		for (size_t i = 0; i < ARRAY_LEN(protocols); i++)
			known |= !bracket && !strcmp(word, protocols[i]);
		if (at <= PROTOCOL && known) {
			r->protocol = strdup(word);
			err = r->protocol ? 0 : -ENOMEM;
			at = PEER;
		} else if (at <= PORT && !bracket && is_port_word(word)) {
			err = take_ports(word, r);
			at = END;
		} else if (at <= PEER) {
			err = *word ? take_peer(word, bracket, r) : 0;
			at = PORT;
		} else if (at == END || *word) {
			err = -EINVAL;
		} else {
			at = END;
		}
	}
	return err;
}

int rule_parse(const char *text, bool allow, struct net_rule *ret, struct err *e)
{
	const char *flag = allow ? "--allow" : "--deny";
	autofree char *copy = strdup(text);
	int r = copy ? take_words(copy, ret) : -ENOMEM;

	ret->allow = allow;
	if (r == -ENOMEM)
		return err_set(e, ENOMEM, "out of memory");
	if (r < 0 || !*text)
		return err_set(e, EINVAL, "%s %.80s: " FORM, flag, text);
	if (ret->port_last && ret->protocol && !strcmp(ret->protocol, "icmp"))
		return err_set(e, EINVAL, "%s %.80s: icmp has no ports", flag, text);
	return 0;
}

int rule_print(const struct net_rule *r, struct buf *out)
{
	bool bracket = r->peer && strchr(r->peer, ':');

	buf_addf(out, "%s:", r->out ? "out" : "in");
	if (r->protocol)
		buf_addf(out, "%s:", r->protocol);
	if (r->peer)
		buf_addf(out, "%s%s%s", bracket ? "[" : "", r->peer, bracket ? "]" : "");
	if (r->port_last && r->peer)
		buf_addc(out, ':');
	if (r->port_last)
		buf_addf(out, "%u", r->port_first);
	if (r->port_last > r->port_first)
		buf_addf(out, "-%u", r->port_last);
	return buf_ok(out) ? 0 : -ENOMEM;
}

/* --- contradictions */

static bool parse_network(const char *text, struct ip_prefix *ret)
{
	if (ip_parse_prefix(text, ret) == 0)
		return true;
	if (ip_parse(text, &ret->ip) < 0)
		return false;
	ret->bits = ip_bits(ret->ip.family);
	return true;
}

static bool peer_within(const char *inner, const char *outer)
{
	struct ip_prefix a, b;

	if (!outer)
		return true;
	if (!inner)
		return false;
	if (!parse_network(inner, &a) || !parse_network(outer, &b))
		return !strcmp(inner, outer);
	return b.bits <= a.bits && ip_contains(&b, &a.ip);
}

static bool is_within(const struct net_rule *inner, const struct net_rule *outer)
{
	if (inner->out != outer->out || !peer_within(inner->peer, outer->peer))
		return false;
	if (outer->protocol && (!inner->protocol || strcmp(inner->protocol, outer->protocol) != 0))
		return false;
	return !outer->port_last || (inner->port_last && inner->port_first >= outer->port_first &&
				     inner->port_last <= outer->port_last);
}

static int contradict(const struct net_rule *allow, const struct net_rule *deny, struct err *e)
{
	AUTO(buf_done) struct buf a = { 0 }, d = { 0 };

	if (rule_print(allow, &a) < 0 || rule_print(deny, &d) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return err_set(
		e, EINVAL,
		"--allow %.100s and --deny %.100s contradict each other: nothing would be allowed by it",
		a.data, d.data);
}

int rules_check(const struct net_rule *rules, size_t n, struct err *e)
{
	if (n > RULES_MAX)
		return err_set(e, EINVAL, "--allow, --deny: more than %d of them", RULES_MAX);
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < n; k++)
			if (rules[i].allow && !rules[k].allow && is_within(&rules[i], &rules[k]))
				return contradict(&rules[i], &rules[k], e);
	return 0;
}

/* nft.c - messages to nf_tables, and the rules that are there as a digest */
#include "sys/nft.h"

#include <errno.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

#define DUMP_TRIES    10 /* others change their tables meanwhile */
#define COMMENT_TYPE  0 /* NFTNL_UDATA_SET_ELEM_COMMENT: as nft(8) writes and shows it */
#define TYPE(command) ((NFNL_SUBSYS_NFTABLES << 8) | (command))

int nft_open(void)
{
	return nl_open(NETLINK_NETFILTER);
}

static void message(struct nl_batch *b, unsigned type, unsigned flags, uint8_t family, uint16_t res_id)
{
	const struct nfgenmsg h = { .nfgen_family = family,
				    .version = NFNETLINK_V0,
				    .res_id = htons(res_id) };

	nl_message(b, type, flags, &h, sizeof(h));
}

void nft_begin(struct nl_batch *b)
{
	message(b, NFNL_MSG_BATCH_BEGIN, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

/* The end of a batch is not acknowledged (before Linux 6.10): so its last message has to be. */
void nft_end(struct nl_batch *b)
{
	if (buf_ok(&b->bytes))
		((struct nlmsghdr *)(void *)(b->bytes.data + b->message))->nlmsg_flags |= NLM_F_ACK;
	message(b, NFNL_MSG_BATCH_END, 0, AF_UNSPEC, NFNL_SUBSYS_NFTABLES);
}

/* --- elements */

static void put_value(struct nl_batch *b, unsigned type, const void *value, size_t len)
{
	size_t nest = nl_nest(b, type);

	nl_put(b, NFTA_DATA_VALUE, value, len);
	nl_nest_end(b, nest);
}

static void put_comment(struct nl_batch *b, const char *comment)
{
	uint8_t bytes[2 + NFT_COMMENT_MAX] = { COMMENT_TYPE };
	size_t len = strnlen(comment, NFT_COMMENT_MAX - 1) + 1;

	bytes[1] = (uint8_t)len;
	memcpy(bytes + 2, comment, len - 1);
	nl_put(b, NFTA_SET_ELEM_USERDATA, bytes, 2 + len);
}

/* whole: with all that it has, else the key alone. */
static void put_element(struct nl_batch *b, const struct nft_set *s, const struct nft_element *el, bool whole)
{
	size_t list, one;

	nl_put_string(b, NFTA_SET_ELEM_LIST_TABLE, s->table);
	nl_put_string(b, NFTA_SET_ELEM_LIST_SET, s->name);
	list = nl_nest(b, NFTA_SET_ELEM_LIST_ELEMENTS);
	one = nl_nest(b, NFTA_LIST_ELEM);
	put_value(b, NFTA_SET_ELEM_KEY, el->key, el->key_len);
	if (el->end_len)
		put_value(b, NFTA_SET_ELEM_KEY_END, el->end, el->end_len);
	if (whole && el->data_len)
		put_value(b, NFTA_SET_ELEM_DATA, el->data, el->data_len);
	if (whole && el->timeout_ms)
		nl_put_be64(b, NFTA_SET_ELEM_TIMEOUT, el->timeout_ms);
	if (whole && el->comment[0])
		put_comment(b, el->comment);
	nl_nest_end(b, one);
	nl_nest_end(b, list);
}

void nft_element_add(struct nl_batch *b, const struct nft_set *s, const struct nft_element *el)
{
	message(b, TYPE(NFT_MSG_NEWSETELEM), NLM_F_CREATE | NLM_F_EXCL, s->family, 0);
	put_element(b, s, el, true);
}

void nft_element_remove(struct nl_batch *b, const struct nft_set *s, const struct nft_element *el)
{
	message(b, TYPE(NFT_MSG_DELSETELEM), 0, s->family, 0);
	put_element(b, s, el, false);
}

void nft_rule_remove(struct nl_batch *b, uint8_t family, const char *table, const char *chain,
		     uint64_t handle)
{
	message(b, TYPE(NFT_MSG_DELRULE), 0, family, 0);
	nl_put_string(b, NFTA_RULE_TABLE, table);
	nl_put_string(b, NFTA_RULE_CHAIN, chain);
	nl_put_be64(b, NFTA_RULE_HANDLE, handle);
}

void nft_table_remove(struct nl_batch *b, uint8_t family, const char *table)
{
	message(b, TYPE(NFT_MSG_DELTABLE), 0, family, 0);
	nl_put_string(b, NFTA_TABLE_NAME, table);
}

/* --- elements of answers */

static size_t take_value(const struct nlattr *a, uint8_t *ret, size_t max)
{
	const struct nlattr *v = nl_find(nl_nested(a), NFTA_DATA_VALUE);

	if (!v || nl_len(v) > max)
		return 0;
	memcpy(ret, nl_data(v), nl_len(v));
	return nl_len(v);
}

/* User data is a list of (type, length, bytes), from whoever made the element. */
static void take_comment(const struct nlattr *a, char ret[NFT_COMMENT_MAX])
{
	const uint8_t *p = a ? nl_data(a) : NULL, *end = a ? p + nl_len(a) : NULL;

	while (p && end - p >= 2 && end - p - 2 >= p[1]) {
		size_t n = strnlen((const char *)p + 2, p[1]);

		if (p[0] == COMMENT_TYPE && n < NFT_COMMENT_MAX) {
			memcpy(ret, p + 2, n);
			ret[n] = '\0';
			return;
		}
		p += 2 + p[1];
	}
}

static int take_element(const struct nlattr *a, struct nft_element *ret)
{
	struct nl_attrs at = nl_nested(a);
	const struct nlattr *timeout = nl_find(at, NFTA_SET_ELEM_TIMEOUT);

	*ret = (struct nft_element){ 0 };
	ret->key_len = (uint8_t)take_value(nl_find(at, NFTA_SET_ELEM_KEY), ret->key, NFT_KEY_MAX);
	ret->end_len = (uint8_t)take_value(nl_find(at, NFTA_SET_ELEM_KEY_END), ret->end, NFT_KEY_MAX);
	ret->data_len = (uint8_t)take_value(nl_find(at, NFTA_SET_ELEM_DATA), ret->data, NFT_DATA_MAX);
	if (timeout && nl_len(timeout) == sizeof(uint64_t)) {
		memcpy(&ret->timeout_ms, nl_data(timeout), sizeof(uint64_t));
		ret->timeout_ms = be64toh(ret->timeout_ms);
	}
	take_comment(nl_find(at, NFTA_SET_ELEM_USERDATA), ret->comment);
	return ret->key_len && (!ret->end_len || ret->end_len == ret->key_len) ? 0 : -EBADMSG;
}

int nft_elements_parse(const struct nlmsghdr *m, struct nft_element **list, size_t *n)
{
	struct nl_attrs rest =
		nl_nested(nl_find(nl_message_attrs(m, sizeof(struct nfgenmsg)), NFTA_SET_ELEM_LIST_ELEMENTS));
	const struct nlattr *a;

	while ((a = nl_find(rest, NFTA_LIST_ELEM))) {
		struct nft_element *grown =
			*n & (*n - 1) ? *list : realloc(*list, (*n ? 2 * *n : 1) * sizeof(**list));

		if (!grown)
			return -ENOMEM;
		*list = grown;
		if (take_element(a, &grown[*n]) < 0)
			return -EBADMSG;
		++*n;
		if (rest.end - (const char *)a <= NLA_ALIGN(a->nla_len))
			break;
		rest.at = (const char *)a + NLA_ALIGN(a->nla_len);
	}
	return 0;
}

struct found {
	struct nft_element *list;
	size_t n;
};

static int on_elements(void *arg, const struct nlmsghdr *m)
{
	struct found *f = arg;

	return m->nlmsg_type == TYPE(NFT_MSG_NEWSETELEM) ? nft_elements_parse(m, &f->list, &f->n) : 0;
}

int nft_element_get(int fd, const struct nft_set *s, const struct nft_element *el, struct nft_element *ret)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct found f = { 0 };
	int r;

	message(&b, TYPE(NFT_MSG_GETSETELEM), NLM_F_ACK, s->family, 0);
	put_element(&b, s, el, false);
	r = nl_ask(fd, &b, on_elements, &f, NULL);
	if (r == 0 && f.n != 1)
		r = -ENOENT;
	if (r == 0)
		*ret = f.list[0];
	free(f.list);
	return r;
}

int nft_elements(int fd, const struct nft_set *s, struct nft_element **ret, size_t *ret_n)
{
	int r = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
		AUTO(nl_batch_done) struct nl_batch b = { 0 };
		struct found f = { 0 };

		message(&b, TYPE(NFT_MSG_GETSETELEM), NLM_F_DUMP, s->family, 0);
		nl_put_string(&b, NFTA_SET_ELEM_LIST_TABLE, s->table);
		nl_put_string(&b, NFTA_SET_ELEM_LIST_SET, s->name);
		r = nl_ask(fd, &b, on_elements, &f, NULL);
		if (r < 0) {
			free(f.list);
			continue;
		}
		*ret = f.list;
		*ret_n = f.n;
	}
	return r;
}

/* --- chains and rules */

struct digest {
	struct sha256 *h;
	const char *table;
	size_t n;
};

static void add_attr(struct sha256 *h, const struct nlattr *a)
{
	uint32_t len = a ? (uint32_t)nl_len(a) : 0;

	sha256_add(h, &len, sizeof(len));
	if (len)
		sha256_add(h, nl_data(a), len);
}

/* What nft(8) shows of it, but no handle. */
static int on_rule(void *arg, const struct nlmsghdr *m)
{
	struct digest *d = arg;
	struct nl_attrs at = nl_message_attrs(m, sizeof(struct nfgenmsg));
	const struct nlattr *table = nl_find(at, NFTA_RULE_TABLE);

	if (m->nlmsg_type != TYPE(NFT_MSG_NEWRULE) || !table || strcmp(nl_data(table), d->table))
		return 0;
	add_attr(d->h, nl_find(at, NFTA_RULE_CHAIN));
	add_attr(d->h, nl_find(at, NFTA_RULE_EXPRESSIONS));
	d->n++;
	return 0;
}

static int on_chain(void *arg, const struct nlmsghdr *m)
{
	struct digest *d = arg;
	struct nl_attrs at = nl_message_attrs(m, sizeof(struct nfgenmsg));
	const struct nlattr *table = nl_find(at, NFTA_CHAIN_TABLE);

	if (m->nlmsg_type != TYPE(NFT_MSG_NEWCHAIN) || !table || strcmp(nl_data(table), d->table))
		return 0;
	add_attr(d->h, nl_find(at, NFTA_CHAIN_NAME));
	add_attr(d->h, nl_find(at, NFTA_CHAIN_HOOK));
	add_attr(d->h, nl_find(at, NFTA_CHAIN_POLICY));
	add_attr(d->h, nl_find(at, NFTA_CHAIN_FLAGS));
	return 0;
}

static int list(int fd, uint8_t family, unsigned command, nl_each each, struct digest *d)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };

	message(&b, TYPE(command), NLM_F_DUMP, family, 0);
	if (command == NFT_MSG_GETRULE)
		nl_put_string(&b, NFTA_RULE_TABLE, d->table);
	return nl_ask(fd, &b, each, d, NULL);
}

int nft_digest(int fd, uint8_t family, const char *table, struct sha256 *h, size_t *ret_n)
{
	const struct sha256 before = *h;
	int r = -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
		struct digest d = { .h = h, .table = table };

		*h = before;
		r = list(fd, family, NFT_MSG_GETCHAIN, on_chain, &d);
		if (r == 0)
			r = list(fd, family, NFT_MSG_GETRULE, on_rule, &d);
		*ret_n = d.n;
	}
	return r;
}

static int on_generation(void *arg, const struct nlmsghdr *m)
{
	const struct nlattr *id = nl_find(nl_message_attrs(m, sizeof(struct nfgenmsg)), NFTA_GEN_ID);
	uint32_t be;

	if (m->nlmsg_type != TYPE(NFT_MSG_NEWGEN) || !id || nl_len(id) != sizeof(be))
		return -EBADMSG;
	memcpy(&be, nl_data(id), sizeof(be));
	*(uint32_t *)arg = ntohl(be);
	return 0;
}

int nft_generation(int fd, uint32_t *ret)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };

	*ret = 0;
	message(&b, TYPE(NFT_MSG_GETGEN), NLM_F_ACK, AF_UNSPEC, 0);
	return nl_ask(fd, &b, on_generation, ret, NULL);
}

/* --- rules of somebody else's chain */

struct rules {
	struct nft_rule *v;
	size_t n;
};

static int on_commented_rule(void *arg, const struct nlmsghdr *m)
{
	struct rules *l = arg;
	struct nl_attrs at = nl_message_attrs(m, sizeof(struct nfgenmsg));
	const struct nlattr *handle = nl_find(at, NFTA_RULE_HANDLE);
	struct nft_rule *grown;

	if (m->nlmsg_type != TYPE(NFT_MSG_NEWRULE) || !handle || nl_len(handle) != sizeof(uint64_t))
		return 0;
	grown = reallocarray(l->v, l->n + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	l->v = grown;
	grown[l->n] = (struct nft_rule){ 0 };
	memcpy(&grown[l->n].handle, nl_data(handle), sizeof(uint64_t));
	grown[l->n].handle = be64toh(grown[l->n].handle);
	take_comment(nl_find(at, NFTA_RULE_USERDATA), grown[l->n++].comment);
	return 0;
}

static int chain_exists(int fd, uint8_t family, const char *table, const char *chain)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };

	message(&b, TYPE(NFT_MSG_GETCHAIN), NLM_F_ACK, family, 0);
	nl_put_string(&b, NFTA_CHAIN_TABLE, table);
	nl_put_string(&b, NFTA_CHAIN_NAME, chain);
	return nl_run(fd, &b, NULL);
}

int nft_rules(int fd, uint8_t family, const char *table, const char *chain, struct nft_rule **ret,
	      size_t *ret_n)
{
	int r = chain_exists(fd, family, table, chain) < 0 ? -ENOENT : -EAGAIN;

	for (int i = 0; i < DUMP_TRIES && r == -EAGAIN; i++) {
		AUTO(nl_batch_done) struct nl_batch b = { 0 };
		struct rules l = { 0 };

		message(&b, TYPE(NFT_MSG_GETRULE), NLM_F_DUMP, family, 0);
		nl_put_string(&b, NFTA_RULE_TABLE, table);
		nl_put_string(&b, NFTA_RULE_CHAIN, chain);
		r = nl_ask(fd, &b, on_commented_rule, &l, NULL);
		if (r < 0) {
			free(l.v);
			continue;
		}
		*ret = l.v;
		*ret_n = l.n;
	}
	return r;
}

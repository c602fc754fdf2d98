/* firewall.c - the rule set of a store in the kernel: put there, looked after, changed
 *
 * That chains and rules are as they were put there is known by a seal: right after `nft -f` what the kernel lists of them is
 * hashed, and the digest kept as the one element of a set, together with that of the text.
 */
#include "network/firewall.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "network/firewall_int.h"
#include "sys/run.h"

#define NFT_TIMEOUT_MS 20000
#define SEAL_PART      8 /* bytes of either digest */

static int open_nft(struct err *e)
{
	int fd = nft_open();

	return fd < 0 ? err_sys(e, -fd, "netlink socket for nf_tables") : fd;
}

/* --- the seal */

static int read_seal(int fd, const char *table, unsigned guard, struct nft_element *ret)
{
	AUTO(buf_done) struct buf text = { 0 };
	uint8_t digest[SHA256_BYTES];
	size_t n_inet = 0, n_bridge = 0;
	struct sha256 h;
	int r;

	*ret = (struct nft_element){ .key_len = 2 * SEAL_PART, .comment = "seal" };
	fw_script_rules(table, guard, &text);
	if (!buf_ok(&text))
		return -ENOMEM;
	sha256_init(&h);
	sha256_add(&h, text.data, text.len);
	sha256_end(&h, digest);
	memcpy(ret->key, digest, SEAL_PART);
	sha256_init(&h);
	r = nft_digest(fd, NFPROTO_INET, table, &h, &n_inet);
	if (r == 0)
		r = nft_digest(fd, NFPROTO_BRIDGE, table, &h, &n_bridge);
	if (r == 0 && (!n_inet || !n_bridge))
		r = -ENOENT;
	sha256_end(&h, digest);
	memcpy(ret->key + SEAL_PART, digest, SEAL_PART);
	return r;
}

static int is_whole(int fd, const char *table, unsigned guard, struct err *e)
{
	const struct nft_set s = fw_set(table, FW_SEAL);
	struct nft_element seal, there;
	int r = read_seal(fd, table, guard, &seal);

	if (r == 0)
		r = nft_element_get(fd, &s, &seal, &there);
	if (r == -ENOENT)
		return 0;
	return r < 0 ? err_sys(e, -r, "the rule set cannot be read") : 1;
}

static int put_seal(int fd, const char *table, unsigned guard, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	struct nft_element seal;
	int r = read_seal(fd, table, guard, &seal);

	if (r < 0)
		return err_sys(e, -r, "the rule set was put there and is not");
	*fw_element_new(&l, FW_SEAL, "seal") = seal;
	return fw_add(fd, table, &l, NULL, e);
}

/* --- nft */

int fw_run_nft(const struct buf *script, struct err *e)
{
	AUTO(buf_done) struct buf said = { 0 };
	autoclose int file = memfd_create("nft", MFD_CLOEXEC);
	char path[32];
	const char *argv[] = { "nft", "-f", path, NULL };
	int status, r = file < 0 ? -errno : write_full(file, script->data, script->len);

	if (r < 0)
		return err_sys(e, -r, "text for nft");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", file);
	r = run_program(argv, file, NFT_TIMEOUT_MS, &said, &status);
	if (r == -ENOENT)
		return err_set(e, ENOENT,
			       "networks need the program nft (package nftables), which is not here");
	if (r < 0)
		return err_sys(e, -r, "nft");
	if (status == 0)
		return 0;
	if (said.data)
		said.data[strcspn(said.data, "\n")] = '\0';
	if (said.data && strstr(said.data, "Operation not permitted"))
		return err_set(e, EPERM, "the rule set of the host may not be changed (CAP_NET_ADMIN)");
	return err_set(e, EIO, "nft: %s", said.data ? said.data : "it failed and said nothing");
}

static int put_whole(int fd, const struct fw_model *m, size_t *ret_mended, struct err *e)
{
	AUTO(buf_done) struct buf script = { 0 };
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	int r = firewall_script(m, &script, e);

	if (r == 0)
		r = fw_run_nft(&script, e);
	if (r < 0)
		return r;
	fw_model_elements(m, &l);
	r = fw_mend(fd, m->table, &l, NULL, NULL, e);
	if (r == 0)
		r = put_seal(fd, m->table, m->guard, e);
	*ret_mended = l.n;
	return r;
}

/* --- the whole */

int firewall_is_whole(const char *table, unsigned guard, struct err *e)
{
	autoclose int fd = open_nft(e);

	return fd < 0 ? fd : is_whole(fd, table, guard, e);
}

int firewall_ensure(const struct fw_model *m, size_t *ret_mended, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	autoclose int fd = open_nft(e);
	size_t mended = 0;
	int r = fd < 0 ? fd : is_whole(fd, m->table, m->guard, e);

	if (r == 0) {
		r = put_whole(fd, m, &mended, e);
	} else if (r > 0) {
		fw_model_elements(m, &l);
		r = fw_mend(fd, m->table, &l, NULL, &mended, e);
	}
	if (r == 0 && ret_mended)
		*ret_mended = mended;
	return r;
}

static int remove_table(int fd, uint8_t family, const char *table, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	int r;

	nft_begin(&b);
	nft_table_remove(&b, family, table);
	nft_end(&b);
	r = nl_run(fd, &b, NULL);
	return r < 0 && r != -ENOENT ? err_sys(e, -r, "the rule set cannot be removed") : 0;
}

int firewall_remove(const char *table, struct err *e)
{
	autoclose int fd = open_nft(e);
	int r = fd < 0 ? fd : remove_table(fd, NFPROTO_BRIDGE, table, e);

	return r < 0 ? r : remove_table(fd, NFPROTO_INET, table, e);
}

/* --- parts of it */

static int change(const char *table, const struct fw_elements *l, bool add, struct err *e)
{
	autoclose int fd = open_nft(e);

	if (fd < 0)
		return fd;
	return add ? fw_add(fd, table, l, NULL, e) : fw_remove(fd, table, l, e);
}

int firewall_network_add(const char *table, const struct fw_network *n, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	const struct nft_set s = fw_set(table, FW_BRIDGES);
	autoclose int fd = open_nft(e);
	struct nft_element there;

	if (fd < 0)
		return fd;
	fw_network_elements(n, &l);
	if (l.n && nft_element_get(fd, &s, &l.v[0].el, &there) == 0 &&
	    !strcmp(there.comment, l.v[0].el.comment))
		return 0; /* they come in one transaction */
	return fw_add(fd, table, &l, NULL, e);
}

int firewall_network_remove(const char *table, const struct fw_network *n, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };

	fw_network_elements(n, &l);
	return change(table, &l, false, e);
}

/* What egress sets hold for the addresses of a port. */
struct addresses {
	struct ip_prefix v[2];
	size_t n;
};

static bool is_egress_of(void *arg, int set, const struct nft_element *el)
{
	const struct addresses *a = arg;

	for (size_t i = 0; i < a->n && (set == FW_EGRESS4 || set == FW_EGRESS6); i++)
		if ((a->v[i].ip.family == AF_INET6) == (set == FW_EGRESS6) &&
		    !memcmp(el->key, a->v[i].ip.bytes, ip_len(a->v[i].ip.family)))
			return true;
	return false;
}

/* Whoever has its addresses next must not have what it was allowed. */
static int forget_egress(const char *table, const struct fw_port *p, struct err *e)
{
	autoclose int fd = p->egress ? open_nft(e) : -1;
	struct addresses a = { 0 };

	if (!p->egress)
		return 0;
	if (p->given->address && ip_parse_prefix(p->given->address, &a.v[a.n]) == 0)
		a.n++;
	if (p->given->address6 && ip_parse_prefix(p->given->address6, &a.v[a.n]) == 0)
		a.n++;
	return fd < 0 ? fd : fw_remove_all(fd, table, is_egress_of, &a, NULL, e);
}

int firewall_port_add(const char *table, const struct fw_port *p, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	int r = forget_egress(table, p, e);

	fw_port_elements(p, &l);
	return r < 0 ? r : change(table, &l, true, e);
}

static bool is_own(const uint8_t *bytes, const char *text)
{
	struct ip_prefix own;

	return text && ip_parse_prefix(text, &own) == 0 &&
	       !memcmp(bytes, own.ip.bytes, ip_len(own.ip.family));
}

/* By its link, or by its address: at the other end of published ports, else in front. */
static bool is_of_port(void *arg, int set, const struct nft_element *el)
{
	const struct fw_port *p = arg;
	const struct fw_set_row *s = &fw_sets[set];
	uint8_t field = s->data[0] ? s->data[0] : s->key[0];

	if (strcmp(el->comment, p->instance) != 0)
		return false;
	if (field == FIELD_LINK)
		return p->given->link && !strncmp((const char *)el->key, p->given->link, NET_IFNAME_MAX);
	return is_own(s->data[0] ? el->data : el->key,
		      field == FIELD_IP6 ? p->given->address6 : p->given->address);
}

int firewall_port_remove(const char *table, const struct fw_port *p, struct err *e)
{
	autoclose int fd = open_nft(e);
	struct fw_port port = *p;

	return fd < 0 ? fd : fw_remove_all(fd, table, is_of_port, &port, NULL, e);
}

static bool is_rule_of(void *arg, int set, const struct nft_element *el)
{
	return set >= FW_DENY_IN4 && set <= FW_LIMITED6 && is_of_port(arg, set, el);
}

int firewall_port_rules(const char *table, const struct fw_port *p, struct err *e)
{
	struct fw_port rules = { .instance = p->instance,
				 .given = p->given,
				 .rules = p->rules,
				 .n_rules = p->n_rules,
				 .egress = p->egress,
				 .egress_learn = p->egress_learn };
	const struct fw_stale stale = { is_rule_of, &rules, FW_DENY_IN4, FW_LIMITED6 };
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	autoclose int fd = open_nft(e);

	fw_port_elements(&rules, &l);
	return fd < 0 ? fd : fw_mend(fd, table, &l, &stale, NULL, e);
}

int firewall_publish(const char *table, const struct fw_port *p, const struct published_port *pub, bool add,
		     struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };

	fw_published_elements(p, pub, &l);
	return change(table, &l, add, e);
}

int firewall_egress_add(const char *table, const struct fw_port *p, const struct ip *to, unsigned ttl_s,
			struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	autoclose int fd = open_nft(e);

	fw_egress_element(p, to, ttl_s * 1000ULL, &l);
	return fd < 0 ? fd : fw_refresh(fd, table, &l, e);
}

/* --- audit */

struct owners {
	struct strv *list;
	const char *owner; /* NULL: all */
	int r;
};

static bool note_owner(void *arg, int set, const struct nft_element *el)
{
	struct owners *o = arg;

	if (set != FW_SEAL && set != FW_APART && !strv_has(o->list, el->comment) && o->r == 0)
		o->r = strv_add(o->list, el->comment);
	return false;
}

static bool is_owners(void *arg, int set, const struct nft_element *el)
{
	return !strcmp(el->comment, ((const struct owners *)arg)->owner);
}

int firewall_owners(const char *table, struct strv *ret, struct err *e)
{
	autoclose int fd = open_nft(e);
	struct owners o = { .list = ret };
	int r = fd < 0 ? fd : fw_remove_all(fd, table, note_owner, &o, NULL, e);

	if (r == 0 && o.r < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

int firewall_sweep(const char *table, const char *owner, size_t *ret_n, struct err *e)
{
	autoclose int fd = open_nft(e);
	struct owners o = { .owner = owner };

	return fd < 0 ? fd : fw_remove_all(fd, table, is_owners, &o, ret_n, e);
}

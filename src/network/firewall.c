/* firewall.c - the rule set of a store in the kernel: put there, looked after, changed
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

/* The socket, which stays the firewall's. */
int fw_use(struct firewall *fw, struct err *e)
{
	if (fw->fd < 0)
		fw->fd = nft_open();
	return fw->fd < 0 ? err_sys(e, -fw->fd, "netlink socket for nf_tables") : fw->fd;
}

void firewall_close(struct firewall *fw)
{
	if (fw->fd >= 0)
		close(fw->fd);
	fw->fd = -1;
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

static int put_whole(struct firewall *fw, const struct fw_model *m, size_t *ret_mended, struct err *e)
{
	AUTO(buf_done) struct buf script = { 0 };
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	int r = firewall_script(m, &script, e);

	if (r == 0)
		r = fw_run_nft(&script, e);
	if (r < 0)
		return r;
	fw_model_elements(m, &l);
	r = fw_mend(fw, &l, NULL, NULL, e);
	if (r == 0)
		r = fw_seal(fw, m->guard, e);
	*ret_mended = l.n;
	return r;
}

/* --- the whole */

int firewall_ensure(struct firewall *fw, const struct fw_model *m, size_t *ret_mended, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	int r = firewall_is_whole(fw, m->guard, e);
	size_t mended = 0;

	if (r == 0) {
		r = put_whole(fw, m, &mended, e);
	} else if (r > 0) {
		fw_model_elements(m, &l);
		r = fw_mend(fw, &l, NULL, &mended, e);
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

int firewall_remove(struct firewall *fw, struct err *e)
{
	int fd = fw_use(fw, e);
	int r = fd < 0 ? fd : remove_table(fd, NFPROTO_BRIDGE, fw->table, e);

	fw->whole = false;
	return r < 0 ? r : remove_table(fd, NFPROTO_INET, fw->table, e);
}

/* --- parts of it */

static int change(struct firewall *fw, const struct fw_elements *l, bool add, struct err *e)
{
	int fd = fw_use(fw, e);

	if (fd < 0)
		return fd;
	return add ? fw_add(fw, l, NULL, e) : fw_remove(fw, l, e);
}

int firewall_network_remove(struct firewall *fw, const struct fw_network *n, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };

	fw_network_elements(n, &l);
	return change(fw, &l, false, e);
}

/* What egress sets hold for the addresses of a port. */
struct addresses {
	struct ip_prefix v[2];
	size_t n;
};

static bool is_egress(void *arg, int set)
{
	return set == FW_EGRESS4 || set == FW_EGRESS6;
}

static bool is_egress_of(void *arg, int set, const struct nft_element *el)
{
	const struct addresses *a = arg;

	for (size_t i = 0; i < a->n; i++)
		if ((a->v[i].ip.family == AF_INET6) == (set == FW_EGRESS6) &&
		    !memcmp(el->key, a->v[i].ip.bytes, ip_len(a->v[i].ip.family)))
			return true;
	return false;
}

/* Whoever has its addresses next must not have what it was allowed. */
static int forget_egress(struct firewall *fw, const struct fw_port *p, struct err *e)
{
	int fd = p->egress ? fw_use(fw, e) : -1;
	struct addresses a = { 0 };
	const struct fw_stale stale = { is_egress, is_egress_of, &a };

	if (!p->egress)
		return 0;
	if (p->given->address && ip_parse_prefix(p->given->address, &a.v[a.n]) == 0)
		a.n++;
	if (p->given->address6 && ip_parse_prefix(p->given->address6, &a.v[a.n]) == 0)
		a.n++;
	return fd < 0 ? fd : fw_remove_stale(fw, &stale, NULL, e);
}

int firewall_port_add(struct firewall *fw, const struct fw_port *p, struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	int r = forget_egress(fw, p, e);

	fw_port_elements(p, &l);
	return r < 0 ? r : change(fw, &l, true, e);
}

static bool is_own(const uint8_t *bytes, const char *text)
{
	struct ip_prefix own;

	return text && ip_parse_prefix(text, &own) == 0 &&
	       !memcmp(bytes, own.ip.bytes, ip_len(own.ip.family));
}

static bool has_field(const struct fw_set_row *s, uint8_t field)
{
	return memchr(s->key, field, sizeof(s->key)) || memchr(s->data, field, sizeof(s->data));
}

/* Each set that is looked at is a question to the kernel. */
static bool may_have_port(void *arg, int set)
{
	const struct net_port *given = ((const struct fw_port *)arg)->given;
	const struct fw_set_row *s = &fw_sets[set];

	if (set < FW_PUBLISHED4 || set == FW_SEAL)
		return false;
	if (s->family == NFPROTO_BRIDGE)
		return given->link;
	return (given->address && has_field(s, FIELD_IP4)) || (given->address6 && has_field(s, FIELD_IP6));
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

int firewall_port_remove(struct firewall *fw, const struct fw_port *p, struct err *e)
{
	int fd = fw_use(fw, e);
	struct fw_port port = *p;
	const struct fw_stale stale = { may_have_port, is_of_port, &port };

	return fd < 0 ? fd : fw_remove_stale(fw, &stale, NULL, e);
}

static bool has_rules(void *arg, int set)
{
	return ((set >= FW_DENY_IN4 && set <= FW_LIMITED6) || set == FW_RULED) && may_have_port(arg, set);
}

int firewall_port_rules(struct firewall *fw, const struct fw_port *p, struct err *e)
{
	struct fw_port rules = { .instance = p->instance,
				 .given = p->given,
				 .rules = p->rules,
				 .n_rules = p->n_rules,
				 .egress = p->egress,
				 .egress_learn = p->egress_learn };
	const struct fw_stale stale = { has_rules, is_of_port, &rules };
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	int fd = fw_use(fw, e);

	fw_port_elements(&rules, &l);
	return fd < 0 ? fd : fw_mend(fw, &l, &stale, NULL, e);
}

int firewall_publish(struct firewall *fw, const struct fw_port *p, const struct published_port *pub, bool add,
		     struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };

	fw_published_elements(p, pub, &l);
	return change(fw, &l, add, e);
}

int firewall_egress_add(struct firewall *fw, const struct fw_port *p, const struct ip *to, unsigned ttl_s,
			struct err *e)
{
	AUTO(fw_elements_done) struct fw_elements l = { 0 };
	int fd = fw_use(fw, e);

	fw_egress_element(p, to, ttl_s * 1000ULL, &l);
	return fd < 0 ? fd : fw_refresh(fw, &l, e);
}

/* --- audit */

struct owners {
	struct strv *list;
	int r;
};

static bool note_owner(void *arg, int set, const struct nft_element *el)
{
	struct owners *o = arg;

	if (set != FW_SEAL && set != FW_APART && !strv_has(o->list, el->comment) && o->r == 0)
		o->r = strv_add(o->list, el->comment);
	return false;
}

int firewall_owners(struct firewall *fw, struct strv *ret, struct err *e)
{
	int fd = fw_use(fw, e);
	struct owners o = { .list = ret };
	const struct fw_stale none = { NULL, note_owner, &o };
	int r = fd < 0 ? fd : fw_remove_stale(fw, &none, NULL, e);

	if (r == 0 && o.r < 0)
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

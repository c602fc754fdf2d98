/* firewall_int.h - what the files of the rule set share: its sets, and elements of them */
#ifndef NETWORK_FIREWALL_INT_H
#define NETWORK_FIREWALL_INT_H

#include "base/buf.h"
#include "network/firewall.h"
#include "sys/nft.h"

/* The parts of a key; each begins at a multiple of four bytes. */
enum fw_field {
	FIELD_END,
	FIELD_LINK, /* name of an interface */
	FIELD_MAC,
	FIELD_IP4,
	FIELD_IP6,
	FIELD_TARGET, /* an IPv6 address for nft 1.0.6, which knows no name for that of a neighbour advertisement */
	FIELD_PROTOCOL, /* IPPROTO_* */
	FIELD_PORT,
	FIELD_FAMILY, /* NFPROTO_*: the kernel has ranges as a part of keys only */
};

#define FIELDS_MAX 5

/* Where the families differ a set for IPv6 follows the one for IPv4. */
enum fw_set {
	/* networks; table of family inet */
	FW_BRIDGES, /* ours */
	FW_SAME, /* (bridge, bridge): from a network into itself */
	FW_INTERNAL, /* bridges of internal networks */
	FW_SUBNETS4, /* any of our networks */
	FW_SUBNETS6,
	FW_LOCAL4, /* (bridge, its network) */
	FW_LOCAL6,
	FW_MASQUERADE4, /* networks whose instances speak to the outside as the host */
	FW_MASQUERADE6,
	FW_APART, /* interfaces between which nothing was forwarded before us */
	/* instances; table of family inet */
	FW_PUBLISHED4, /* (protocol, host's address, host's port): (address, port) */
	FW_PUBLISHED6,
	FW_PUBLISHED_ANY4, /* (protocol, host's port): (address, port) */
	FW_PUBLISHED_ANY6,
	FW_DENY_IN4, /* (address, peer, protocol, port) */
	FW_DENY_IN6,
	FW_DENY_OUT4,
	FW_DENY_OUT6,
	FW_ALLOW_IN4,
	FW_ALLOW_IN6,
	FW_ALLOW_OUT4,
	FW_ALLOW_OUT6,
	FW_CLOSED_IN4, /* addresses: what is not allowed is denied */
	FW_CLOSED_IN6,
	FW_CLOSED_OUT4,
	FW_CLOSED_OUT6,
	FW_LIMITED4, /* addresses: outside they reach what is in the next set alone */
	FW_LIMITED6,
	FW_EGRESS4, /* (address, peer), for a time */
	FW_EGRESS6,
	FW_SEAL, /* one element: digests of the script and of what the kernel made of it */
	/* table of family bridge */
	FW_PORTS, /* the host's ends of instances */
	FW_RULED, /* those of instances that have rules */
	FW_MACS, /* (port, MAC) */
	FW_REFLECTED, /* (port, port): out of it again */
	FW_OWN4, /* (port, MAC, address) */
	FW_OWN6,
	FW_TARGET6, /* the same, for what a neighbour advertisement is about */
	FW_N
};

struct fw_set_row {
	const char *name;
	uint8_t family; /* NFPROTO_* of its table */
	uint8_t key[FIELDS_MAX], data[FIELDS_MAX]; /* enum fw_field; data: of a map */
	bool ranges, timeout;
};
extern const struct fw_set_row fw_sets[FW_N];
unsigned fw_field_len(uint8_t field); /* in bytes, without what fills it up */

struct fw_element {
	int set; /* enum fw_set */
	struct nft_element el;
};

/* Start from { 0 }; `r` is the first failure: -ENOMEM, -EINVAL (a text that is no address), -E2BIG. */
struct fw_elements {
	struct fw_element *v;
	size_t n;
	int r;
};
void fw_elements_done(struct fw_elements *l);

/* --- firewall_elements.c: what the model means; pure */
void fw_network_elements(const struct fw_network *n, struct fw_elements *l);
void fw_port_elements(const struct fw_port *p, struct fw_elements *l);
void fw_published_elements(const struct fw_port *p, const struct published_port *pub, struct fw_elements *l);
void fw_egress_element(const struct fw_port *p, const struct ip *to, uint64_t ttl_ms, struct fw_elements *l);
/* All of it. */
void fw_model_elements(const struct fw_model *m, struct fw_elements *l);

/* A new element; the next parts of its key and data.  A part of a range is from..to, each n bytes. */
struct nft_element *fw_element_new(struct fw_elements *l, int set, const char *owner);
void fw_key(struct nft_element *el, const void *from, const void *to, size_t n);
void fw_data(struct nft_element *el, const void *data, size_t n);

/* --- firewall_rules.c: --allow and --deny as elements; pure */
void fw_rule_elements(const struct fw_port *p, const struct ip *own, struct fw_elements *l);

/* --- firewall_script.c: text for nft -f; pure */
void fw_script_rules(const char *table, unsigned guard,
		     struct buf *out); /* what does not change with elements */
void fw_script_elements(const char *table, const struct fw_elements *l, struct buf *out);

/* --- firewall.c: the socket, which stays the firewall's, or -errno */
int fw_use(struct firewall *fw, struct err *e);

/* --- firewall_seal.c: seals what was put there by nft -f */
int fw_seal(struct firewall *fw, unsigned guard, struct err *e);

/* --- firewall.c: runs nft -f.  -ENOENT: it is not here; -EPERM */
int fw_run_nft(const struct buf *script, struct err *e);

/* docker_user.c, firewalld.c: what forwarding_forget is made of. */
int docker_user_remove(const struct fw_network *n, struct err *e);
void firewalld_forget(const struct fw_network *n);

/* docker_legacy.c: docker_user_ensure and docker_user_remove for a DOCKER-USER of iptables-legacy. */
int docker_legacy_ensure(const struct fw_network *networks, size_t n, struct err *e);
void docker_legacy_remove(const struct fw_network *n);

/* --- firewall_batch.c: changes in the kernel, each one transaction; e says what was refused.  fw->fd is open. */
/* Ends the batch and has it done. */
int fw_run(struct firewall *fw, struct nl_batch *b, struct err *e);
struct nft_set fw_set(const char *table, int set);
/* All of them are there, and nothing that overlaps them.  *ret_n: how many had to be added (may be NULL). */
int fw_add(struct firewall *fw, const struct fw_elements *l, size_t *ret_n, struct err *e);
/* Elements that go. */
struct fw_stale {
	bool (*looks)(void *arg, int set); /* can there be any?  NULL: in each set */
	bool (*takes)(void *arg, int set, const struct nft_element *el);
	void *arg;
};
/* The same where it is likely that some are there.  stale (may be NULL): what else goes, of those sets too. */
int fw_mend(struct firewall *fw, const struct fw_elements *l, const struct fw_stale *stale, size_t *ret_n,
	    struct err *e);
/* None of them is there, but those that have another owner. */
int fw_remove(struct firewall *fw, const struct fw_elements *l, struct err *e);
/* An element with a time-out gets a new one. */
int fw_refresh(struct firewall *fw, const struct fw_elements *l, struct err *e);
/* *ret_n: how many (may be NULL). */
int fw_remove_stale(struct firewall *fw, const struct fw_stale *stale, size_t *ret_n, struct err *e);
/* The failure of elements that could not be made. */
int fw_elements_check(const struct fw_elements *l, struct err *e);

#endif

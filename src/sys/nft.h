/* nft.h - nf_tables: elements of maps and sets, changed in one transaction, and what is there
 *
 * Between nft_begin and nft_end all messages of a batch happen at once or not at all.  Keys and data are as the kernel
 * compares them: each part of a concatenation begins at a multiple of four bytes, in the network's order (names of
 * interfaces: sixteen bytes, padded with zeros).
 */
#ifndef SYS_NFT_H
#define SYS_NFT_H

#include <netinet/in.h> /* before what is in linux/ */

#include <linux/netfilter.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/sha256.h"
#include "sys/netlink.h"

#define NFT_KEY_MAX	64 /* NFT_REG32_COUNT words: what the kernel can look up */
#define NFT_DATA_MAX	64
#define NFT_COMMENT_MAX 128 /* of nft(8), with its NUL */

struct nft_set {
	uint8_t family; /* NFPROTO_INET, NFPROTO_BRIDGE */
	const char *table, *name;
};

struct nft_element {
	uint8_t key[NFT_KEY_MAX], end[NFT_KEY_MAX], data[NFT_DATA_MAX];
	uint8_t key_len, end_len,
		data_len; /* end_len 0: one value, else a range from key to end; data_len 0: of a set */
	uint64_t timeout_ms; /* 0: stays */
	char comment[NFT_COMMENT_MAX]; /* "": none */
};

/* A descriptor or -errno. */
int nft_open(void);
void nft_begin(struct nl_batch *b);
/* -EEXIST: it is there already (-EBUSY: with other data; -ENOTEMPTY: a part of its range is). */
void nft_element_add(struct nl_batch *b, const struct nft_set *s, const struct nft_element *el);
/* -ENOENT: it is not there. */
void nft_element_remove(struct nl_batch *b, const struct nft_set *s, const struct nft_element *el);
void nft_rule_remove(struct nl_batch *b, uint8_t family, const char *table, const char *chain,
		     uint64_t handle);
void nft_table_remove(struct nl_batch *b, uint8_t family, const char *table);
void nft_end(struct nl_batch *b);

/* --- what is there.  -ENOENT: no such table or set; -EAGAIN has been tried again. */

/* One element by its key: *ret has its data and comment.  -ENOENT. */
int nft_element_get(int fd, const struct nft_set *s, const struct nft_element *el, struct nft_element *ret);
/* All elements of a set; free() *ret. */
int nft_elements(int fd, const struct nft_set *s, struct nft_element **ret, size_t *ret_n);
/* All chains and rules of a table, in order, with what they do, but no numbers that differ from one making to the next:
 * they go into h.  *ret_n: how many. */
int nft_digest(int fd, uint8_t family, const char *table, struct sha256 *h, size_t *ret_n);
struct nft_rule {
	uint64_t handle;
	char comment[NFT_COMMENT_MAX]; /* "": none */
};
/* The rules of a chain; free() *ret.  -ENOENT: there is no such chain. */
int nft_rules(int fd, uint8_t family, const char *table, const char *chain, struct nft_rule **ret,
	      size_t *ret_n);

/* A number that each change of any rule in this network namespace makes one larger (0 is left out). */
int nft_generation(int fd, uint32_t *ret);

/* The elements in one message of an answer (NFT_MSG_NEWSETELEM), appended; n of them are there already.  0, -EBADMSG or
 * -ENOMEM. */
int nft_elements_parse(const struct nlmsghdr *m, struct nft_element **list, size_t *n);

#endif

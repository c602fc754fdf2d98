/* firewall_batch.c - elements of the rule set added and removed in the kernel */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "network/firewall_int.h"

struct nft_set fw_set(const char *table, int set)
{
	return (struct nft_set){ fw_sets[set].family, table, fw_sets[set].name };
}

int fw_elements_check(const struct fw_elements *l, struct err *e)
{
	if (l->r == -EINVAL)
		return err_set(e, EINVAL, "an address of a network or an instance is none");
	if (l->r == -E2BIG)
		return err_set(e, E2BIG, "--allow and --deny cut each other into too many pieces");
	return l->r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int refused(int r, const struct nl_failure *f, struct err *e)
{
	if (r == -EPERM)
		return err_set(e, EPERM, "the rule set of the host may not be changed (CAP_NET_ADMIN)");
	return err_sys(e, -r, "nf_tables%s%s", f->text[0] ? ": " : "", f->text);
}

int fw_run(struct firewall *fw, struct nl_batch *b, struct err *e)
{
	struct nl_failure f;
	int r;

	nft_end(b);
	r = nl_run(fw->fd, b, &f);
	if (r == 0)
		fw->generation++;
	return r < 0 ? refused(r, &f, e) : 0;
}

/* --- what is there of one set, and ours */

/* Every part of a key begins at four bytes, and so compares the more significant bytes first. */
static bool overlaps(const struct fw_set_row *s, const struct nft_element *a, const struct nft_element *b)
{
	const uint8_t *a_to = a->end_len ? a->end : a->key, *b_to = b->end_len ? b->end : b->key;
	size_t at = 0;

	for (size_t i = 0; i < FIELDS_MAX && s->key[i]; i++) {
		size_t n = fw_field_len(s->key[i]);

		if (memcmp(a->key + at, b_to + at, n) > 0 || memcmp(b->key + at, a_to + at, n) > 0)
			return false;
		at += (n + 3) / 4 * 4;
	}
	return true;
}

static bool is_same(const struct nft_element *a, const struct nft_element *b)
{
	return !memcmp(a->key, b->key, sizeof(a->key)) && !memcmp(a->end, b->end, sizeof(a->end)) &&
	       !memcmp(a->data, b->data, sizeof(a->data)) && !strcmp(a->comment, b->comment);
}

/* Makes the messages for one set.  Returns how many elements are added. */
static int mend_set(int fd, const struct nft_set s, int set, const struct fw_elements *l,
		    const struct fw_stale *stale, struct nl_batch *b)
{
	autofree bool *there = calloc(l->n + 1, sizeof(*there));
	autofree struct nft_element *now = NULL;
	size_t n = 0;
	int added = 0, r = there ? nft_elements(fd, &s, &now, &n) : -ENOMEM;

	for (size_t i = 0; i < n && r == 0; i++) {
		bool displaced = stale && stale->takes(stale->arg, set, &now[i]), kept = false;

		for (size_t k = 0; k < l->n; k++) {
			if (l->v[k].set != set || !overlaps(&fw_sets[set], &now[i], &l->v[k].el))
				continue;
			there[k] |= is_same(&now[i], &l->v[k].el);
			kept |= is_same(&now[i], &l->v[k].el);
			displaced = true;
		}
		if (displaced && !kept)
			nft_element_remove(b, &s, &now[i]);
	}
	for (size_t k = 0; k < l->n && r == 0; k++) {
		if (l->v[k].set != set || there[k])
			continue;
		nft_element_add(b, &s, &l->v[k].el);
		added++;
	}
	return r < 0 ? r : added;
}

static bool looks(const struct fw_stale *s, int set)
{
	return !s->looks || s->looks(s->arg, set);
}

int fw_mend(struct firewall *fw, const struct fw_elements *l, const struct fw_stale *stale, size_t *ret_n,
	    struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	bool used[FW_N] = { 0 };
	size_t added = 0;
	int r = fw_elements_check(l, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < l->n; i++)
		used[l->v[i].set] = true;
	for (int set = 0; set < FW_N && stale; set++)
		used[set] |= looks(stale, set);
	nft_begin(&b);
	for (int set = 0; set < FW_N; set++) {
		r = used[set] ? mend_set(fw->fd, fw_set(fw->table, set), set, l, stale, &b) : 0;
		if (r < 0)
			return err_sys(e, -r, "set %s of the rule set", fw_sets[set].name);
		added += (size_t)r;
	}
	r = b.n > 1 ? fw_run(fw, &b, e) : 0;
	if (r == 0 && ret_n)
		*ret_n = added;
	return r;
}

int fw_add(struct firewall *fw, const struct fw_elements *l, size_t *ret_n, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	int r = fw_elements_check(l, e);

	if (r < 0 || !l->n)
		return r;
	nft_begin(&b);
	for (size_t i = 0; i < l->n; i++) {
		const struct nft_set s = fw_set(fw->table, l->v[i].set);

		nft_element_add(&b, &s, &l->v[i].el);
	}
	r = fw_run(fw, &b, e);
	if (r == -EEXIST || r == -EBUSY || r == -ENOTEMPTY)
		return fw_mend(fw, l, NULL, ret_n, e);
	if (r == 0 && ret_n)
		*ret_n = l->n;
	return r;
}

/* --- removing */

int fw_remove(struct firewall *fw, const struct fw_elements *l, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	int r = fw_elements_check(l, e);

	if (r < 0)
		return r;
	nft_begin(&b);
	for (size_t i = 0; i < l->n; i++) {
		const struct nft_set s = fw_set(fw->table, l->v[i].set);
		struct nft_element now;

		if (nft_element_get(fw->fd, &s, &l->v[i].el, &now) == 0 &&
		    !strcmp(now.comment, l->v[i].el.comment))
			nft_element_remove(&b, &s, &l->v[i].el);
	}
	return b.n > 1 ? fw_run(fw, &b, e) : 0;
}

int fw_remove_stale(struct firewall *fw, const struct fw_stale *stale, size_t *ret_n, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	size_t removed = 0;

	nft_begin(&b);
	for (int set = 0; set < FW_N; set++) {
		const struct nft_set s = fw_set(fw->table, set);
		autofree struct nft_element *now = NULL;
		size_t n = 0;
		int r = looks(stale, set) ? nft_elements(fw->fd, &s, &now, &n) : 0;

		if (r < 0 && r != -ENOENT)
			return err_sys(e, -r, "set %s of the rule set", s.name);
		for (size_t i = 0; i < n; i++) {
			if (!stale->takes(stale->arg, set, &now[i]))
				continue;
			nft_element_remove(&b, &s, &now[i]);
			removed++;
		}
	}
	if (ret_n)
		*ret_n = removed;
	return removed ? fw_run(fw, &b, e) : 0;
}

/* Adding alone leaves the old time-out (before Linux 6.12); removing alone fails where there is none. */
static int replace(struct firewall *fw, const struct fw_elements *l, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };

	nft_begin(&b);
	for (size_t i = 0; i < l->n; i++) {
		const struct nft_set s = fw_set(fw->table, l->v[i].set);
		struct nft_element now;

		if (nft_element_get(fw->fd, &s, &l->v[i].el, &now) == 0)
			nft_element_remove(&b, &s, &l->v[i].el);
		nft_element_add(&b, &s, &l->v[i].el);
	}
	return fw_run(fw, &b, e);
}

/* One whose time is over between the look and the batch is not there to be removed any more. */
int fw_refresh(struct firewall *fw, const struct fw_elements *l, struct err *e)
{
	int r = fw_elements_check(l, e);

	if (r < 0 || !l->n)
		return r;
	r = replace(fw, l, e);
	return r == -ENOENT ? replace(fw, l, e) : r;
}

/* acl.c - POSIX ACLs in extended attributes: what the kernel would refuse is refused here */
#include "unpack/acl.h"

#include <errno.h>
#include <linux/posix_acl.h>
#include <linux/posix_acl_xattr.h>
#include <stdbool.h>
#include <string.h>

/* As posix_acl_valid of fs/posix_acl.c: each entry's place follows from the one before. */
struct state {
	unsigned next; /* tags that may follow, as bits of the tags */
	bool needs_mask;
};

static bool step(struct state *s, unsigned tag, unsigned perm)
{
	if (perm > (ACL_READ | ACL_WRITE | ACL_EXECUTE) || !(tag & s->next) || (tag & (tag - 1)))
		return false;
	switch (tag) {
	case ACL_USER_OBJ:
		s->next = ACL_USER | ACL_GROUP_OBJ;
		return true;
	case ACL_USER:
		s->needs_mask = true;
		return true;
	case ACL_GROUP_OBJ:
		s->next = ACL_GROUP | ACL_MASK | (s->needs_mask ? 0 : ACL_OTHER);
		return true;
	case ACL_GROUP:
		s->needs_mask = true;
		s->next = ACL_GROUP | ACL_MASK;
		return true;
	case ACL_MASK:
		s->next = ACL_OTHER;
		return true;
	default:
		s->next = 0;
		return tag == ACL_OTHER;
	}
}

static bool is_valid(const unsigned char *p, size_t n)
{
	struct state s = { .next = ACL_USER_OBJ };
	struct posix_acl_xattr_header head;
	struct posix_acl_xattr_entry entry;

	if (n < sizeof(head) + sizeof(entry) || (n - sizeof(head)) % sizeof(entry))
		return false;
	memcpy(&head, p, sizeof(head));
	if (head.a_version != POSIX_ACL_XATTR_VERSION)
		return false;
	for (size_t i = sizeof(head); i < n; i += sizeof(entry)) {
		memcpy(&entry, p + i, sizeof(entry));
		if (!step(&s, entry.e_tag, entry.e_perm))
			return false;
	}
	return s.next == 0;
}

int acl_check(const struct xattr *x, mode_t mode, struct err *e)
{
	bool is_default = !strcmp(x->name, ACL_DEFAULT);

	if (!is_default && strcmp(x->name, ACL_ACCESS) != 0)
		return 0;
	if (S_ISLNK(mode) || (is_default && !S_ISDIR(mode)) || !is_valid(x->value, x->n))
		return err_set(e, EINVAL, "the attribute %s is bad", x->name);
	return 0;
}

/* policy.h - policy.json (containers-policy.json(5)): which images may come in at all; pure but for reading it */
#ifndef REGISTRY_POLICY_H
#define REGISTRY_POLICY_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"

#define POLICY_MAX (1 << 20) /* bytes of the file */

enum policy_type { POLICY_ACCEPT, POLICY_REJECT, POLICY_SIGNED_BY, POLICY_SIGSTORE };

/* Which name a signature must be for. */
enum policy_identity { IDENTITY_DIGEST_OR_EXACT, IDENTITY_EXACT, IDENTITY_REPOSITORY, IDENTITY_IS };

struct policy_rule {
	int type; /* enum policy_type */
	struct strv key_paths;
	char *key_data; /* base64 of the key, instead of its path */
	int identity; /* enum policy_identity */
	char *identity_name; /* IDENTITY_IS: a reference, or a name without tag */
};

/* All rules must be fulfilled. */
struct policy {
	struct policy_rule *rules;
	size_t n_rules;
};

/* What the file (NULL: /etc/containers/policy.json; where there is none, everything is accepted) says about
 * "host/path" with this tag (NULL: none). */
int policy_load(const char *path, const char *name, const char *tag, struct policy *ret, struct err *e);
int policy_parse(const char *text, size_t n, const char *name, const char *tag, struct policy *ret,
		 struct err *e);
void policy_done(struct policy *p);

#endif

/* registries.h - registries.conf, version 2 (containers-registries.conf(5)): where a name leads; pure but for reading it */
#ifndef REGISTRY_REGISTRIES_H
#define REGISTRY_REGISTRIES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"

enum mirror_use { MIRROR_ALL, MIRROR_DIGEST_ONLY, MIRROR_TAG_ONLY };

struct mirror {
	char *location;
	bool insecure;
	int use; /* enum mirror_use */
};

struct registry_rule {
	char *prefix; /* "host/path", or "*.host" */
	char *location; /* what stands in the place of the prefix; NULL: it stays */
	bool insecure, blocked, digest_only_mirrors;
	struct mirror *mirrors;
	size_t n_mirrors;
};

struct registries {
	struct registry_rule *rules;
	size_t n_rules;
	struct strv search; /* hosts for names without one; empty: docker.io alone */
	struct strv aliases; /* "short=host/path" */
	struct strv helpers; /* credential helpers */
};

/* The file at `path` (NULL: /etc/containers/registries.conf, and those of registries.conf.d behind it); where there is
 * none, nothing is ruled. */
int registries_load(const char *path, struct registries *ret, struct err *e);
/* One file more: its rules take the place of those with the same prefix. */
int registries_parse(const char *name, const char *text, size_t n, struct registries *r, struct err *e);
void registries_done(struct registries *r);

/* The rule for "host/path", that of the longest prefix; NULL: none. */
const struct registry_rule *registries_find(const struct registries *r, const char *name);
/* `name`, which the rule fits, at this location; owned, NULL when memory is out. */
char *registry_rule_move(const struct registry_rule *rule, const char *location, const char *name);

#endif

/* lookaside.h - where GPG signatures of an image lie (containers-registries.d(5)); pure but for reading the files
 *
 * Of YAML what those files have: maps of words, by indentation; everything else is refused.
 */
#ifndef REGISTRY_LOOKASIDE_H
#define REGISTRY_LOOKASIDE_H

#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"

#define LOOKASIDE_MAX	  (1 << 20) /* bytes of a file */
#define LOOKASIDE_DEFAULT "file:///var/lib/containers/sigstore"

/* "SCOPE=URL"; the scope of default-docker is "". */
struct lookasides {
	struct strv now, old; /* by the keys `lookaside` and `sigstore`: the first counts */
};

/* The URL ("file:///..." or "http[s]://...") to which "@sha256=HEX/signature-N" is added, of "host/path" with this tag (NULL:
 * none); owned.  The files are those of ~/.config/containers/registries.d, or, without that, of /etc. */
int lookaside_load(const char *name, const char *tag, char **ret, struct err *e);
/* Adds what one file says. */
int lookaside_parse(const char *text, size_t n, struct lookasides *to, struct err *e);
int lookaside_find(const struct lookasides *l, const char *name, const char *tag, char **ret, struct err *e);
void lookasides_done(struct lookasides *l);

#endif

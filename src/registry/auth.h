/* auth.h - user names and passwords for registries: the files of Docker and containers(5), and credential helpers
 *
 * Looked for in this order, the first that knows the server wins: --authfile or $REGISTRY_AUTH_FILE alone, else
 * $XDG_RUNTIME_DIR/containers/auth.json (without the variable /run/containers/UID/auth.json),
 * ~/.config/containers/auth.json, $DOCKER_CONFIG or ~/.docker/config.json.
 */
#ifndef REGISTRY_AUTH_H
#define REGISTRY_AUTH_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"

#define AUTH_FILE_MAX (1 << 20)

struct credentials {
	char *user, *password;
	char *identity_token; /* instead of a password */
};
void credentials_done(struct credentials *c);

/* Who is asked for a server: the file says it, or a helper. */
struct auth_answer {
	bool found;
	struct credentials credentials;
	char *helper; /* found: it has to be asked; owned */
};
void auth_answer_done(struct auth_answer *a);

/* What the text of a file says about "host/path" (or a part of it from the left); pure.  An error names no content. */
int auth_file_find(const char *text, size_t n, const char *name, struct auth_answer *ret, struct err *e);
/* The text with these credentials for the server (NULL: without any) appended to *out; *ret_changed: it is another. */
struct buf;
int auth_file_change(const char *text, size_t n, const char *server, const struct credentials *c,
		     struct buf *out, bool *ret_changed, struct err *e);

/* Everything about "host/path"; *ret is empty where nobody knows.  file: the only one to look at, or NULL. */
int auth_find(const char *file, const char *name, struct credentials *ret, struct err *e);
/* Keeps them for the server, in Docker's file or with its helper.  *ret_where: the path or the helper. */
int auth_keep(const char *file, const char *server, const struct credentials *c, char **ret_where,
	      struct err *e);
/* Forgets the server (NULL: every one) wherever it is known.  *ret_found: it was. */
int auth_forget(const char *file, const char *server, bool *ret_found, struct err *e);

#endif

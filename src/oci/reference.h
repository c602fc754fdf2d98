/* reference.h - names of images: [domain/]path[:tag][@sha256:hex], Docker's grammar; pure
 *
 * Kept in the short form that users type: "docker.io/library/x" is "x", and the tag "latest" is filled in
 * unless there is a digest.
 */
#ifndef OCI_REFERENCE_H
#define OCI_REFERENCE_H

#include "base/err.h"
#include "oci/digest.h"

#define REFERENCE_NAME_MAX 255 /* bytes of domain and path together */
#define REFERENCE_TAG_MAX  128

struct reference {
	char *name; /* short form, without tag */
	char *tag; /* NULL: none was given and there is a digest */
	bool has_digest;
	struct digest digest;
};

/* -EINVAL with one line that says what is wrong. */
int reference_parse(const char *s, struct reference *ret, struct err *e);
void reference_done(struct reference *r);
/* "name:tag", "name@sha256:hex" or "name:tag@sha256:hex"; owned, NULL when memory is out. */
char *reference_text(const struct reference *r);
/* A name in short form as others know it: "x" is "docker.io/library/x"; owned, NULL when memory is out. */
char *reference_whole_name(const char *name);
/* The parts of `s` alone: is it a path component, a tag? */
bool is_reference_component(const char *s);
bool is_reference_tag(const char *s);

#endif

/* challenge.h - what a server asks for: the header WWW-Authenticate (RFC 9110, section 11.6.1); pure */
#ifndef DISTRIBUTION_CHALLENGE_H
#define DISTRIBUTION_CHALLENGE_H

#include <stddef.h>

#define CHALLENGE_MAX 4096 /* characters of one header */

enum challenge_kind { CHALLENGE_NONE, CHALLENGE_BASIC, CHALLENGE_BEARER };

/* The best that we can do of what it names.  Members are owned; NULL: not said. */
struct challenge {
	enum challenge_kind kind;
	char *realm, *service, *scope;
};

/* Reads one header, which may hold several.  -EINVAL: it is none, and *ret is unchanged; else *ret is by
 * challenge_done, and replaced only by something better. */
int challenge_parse(const char *header, struct challenge *ret);
void challenge_done(struct challenge *c);

#endif

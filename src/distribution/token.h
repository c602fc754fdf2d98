/* token.h - how a session becomes known to its server: Basic, or Bearer with a token (distribution's token protocol) */
#ifndef DISTRIBUTION_TOKEN_H
#define DISTRIBUTION_TOKEN_H

#include "distribution/challenge.h"
#include "distribution/session.h"

/* Sets the session's authorization as the challenge wants it.  1: there is something to try, 0: we have nothing to say
 * that it asks for, -errno: the token server failed. */
int token_get(struct session *s, const struct challenge *c, struct err *e);

#endif

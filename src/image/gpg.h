/* gpg.h - what was signed by an OpenPGP key: gpgv reads it, as a user that has nothing (private to this room) */
#ifndef IMAGE_GPG_H
#define IMAGE_GPG_H

#include "base/buf.h"
#include "base/err.h"

/* Adds a public key, binary or armoured (several may be in it), to a keyring that gpgv reads.  -EINVAL: it is none. */
int gpg_add_key(struct buf *keyring, const char *text, size_t n, struct err *e);
/* The signed message (RFC 4880, 11.3: not a detached signature), if one key of the keyring has signed it, is appended to
 * ret.  -EPERM: it is not so, with the reason. */
int gpg_verify(const struct buf *keyring, const struct buf *message, struct buf *ret, struct err *e);

#endif

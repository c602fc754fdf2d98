/* dbus.h - as much of D-Bus as asking systemd for a unit needs (dbus.freedesktop.org/doc/dbus-specification.html)
 *
 * One connection, one call at a time, signals in between.  Numbers are in the machine's order; no descriptors.  Functions
 * return 0 or -errno; every wait ends after DBUS_TIMEOUT_S.
 */
#ifndef SYS_DBUS_H
#define SYS_DBUS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/buf.h"

#define DBUS_TIMEOUT_S	 25
#define DBUS_MESSAGE_MAX (1 << 20) /* the protocol allows 128 MiB; nobody sends us that */

enum dbus_type { DBUS_CALL = 1, DBUS_RETURN, DBUS_ERROR, DBUS_SIGNAL };

/* --- bodies: each value is aligned to its size, so the buffer must hold the body from its beginning */

void dbus_put_byte(struct buf *b, uint8_t v);
void dbus_put_u16(struct buf *b, uint16_t v);
void dbus_put_u32(struct buf *b, uint32_t v);
void dbus_put_u64(struct buf *b, uint64_t v);
void dbus_put_string(struct buf *b, const char *s); /* also an object path */
void dbus_put_signature(struct buf *b, const char *s);
void dbus_put_struct(struct buf *b); /* its members follow */
/* An array of what is aligned to `align`: returns what dbus_close_array needs after the elements. */
size_t dbus_open_array(struct buf *b, size_t align);
void dbus_close_array(struct buf *b, size_t opened, size_t align);

struct dbus_reader {
	const char *data;
	size_t n, at;
};

/* -EBADMSG: not such a value. */
int dbus_read_u32(struct dbus_reader *r, uint32_t *ret);
int dbus_read_string(struct dbus_reader *r, const char **ret);

/* --- messages */

/* All that it points to is in the bytes that it was parsed from; strings are never NULL, but "". */
struct dbus_message {
	enum dbus_type type;
	uint32_t serial, reply_to;
	const char *path, *interface, *member, *error, *destination, *signature;
	const char *body;
	size_t body_len;
};

/* Parses the first message of n bytes.  Its size, 0 when it is not whole yet, or -EBADMSG. */
ssize_t dbus_parse(const char *data, size_t n, struct dbus_message *ret);
/* Appends a message. */
void dbus_print(const struct dbus_message *m, struct buf *out);

/* --- connections */

struct dbus;

/* The socket of the system's bus, or of the user's: as DBUS_SYSTEM_BUS_ADDRESS or DBUS_SESSION_BUS_ADDRESS say (*ret_given),
 * or at its usual place.  Owned; NULL: memory is out. */
char *dbus_bus_path(bool user, bool *ret_given);
/* bus: of a bus, which wants to be greeted; else straight to a service. */
int dbus_open(const char *socket_path, bool bus, struct dbus **ret);
void dbus_close(struct dbus **d);
/* Sends a call (type, serial and reply_to are filled in) and waits for its answer; signals that come before are dropped.
 * -EREMOTEIO: the answer is an error, *ret. */
int dbus_call(struct dbus *d, const struct dbus_message *call, struct dbus_message *ret);
/* The next message; *ret holds until the next function on d. */
int dbus_next(struct dbus *d, struct dbus_message *ret);

#endif

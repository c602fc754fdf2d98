/* conn.h - one non-blocking connection that speaks msg.h, driven by a loop
 *
 * The owner gets whole messages; what it sends is queued and written as the peer reads.  A peer that
 * breaks the protocol or goes away is reported once, by `closed`; the owner then calls conn_free.
 *
 * A client (PEER_CLIENT) may send a descriptor with the first byte of a message (unix(7), SCM_RIGHTS), and the next one
 * when that message was answered.
 */
#ifndef WIRE_CONN_H
#define WIRE_CONN_H

#include "base/loop.h"
#include "wire/msg.h"

struct conn;

struct conn_ops {
	void (*message)(void *arg, const struct msg *m);
	/* why->no is 0 for an orderly end of the stream.  conn_free may be called inside. */
	void (*closed)(void *arg, const struct err *why);
	/* Optional: the queue, which had grown over CONN_HIGH, is below it again. */
	void (*drained)(void *arg);
};

#define CONN_HIGH (512 * 1024)

/* Takes fd (even on failure) and makes it non-blocking.  NULL with errno. */
struct conn *conn_new(struct loop *l, int fd, enum msg_peer peer, const struct conn_ops *ops, void *arg);
struct conn *conn_free(struct conn *c);
/* What msg_put_* appends to; conn_flush then writes what can be written and arranges for the rest. */
struct buf *conn_out(struct conn *c);
void conn_flush(struct conn *c);
bool conn_is_high(const struct conn *c);
/* What is queued by now goes out; what is queued from now on waits until the silence ends. */
void conn_silence(struct conn *c, bool silent);
/* The silence ends, and what waited is dropped: it was for another peer. */
void conn_forget(struct conn *c);
/* The descriptor that came last (O_CLOEXEC), once; -ENOENT: none has. */
int conn_take_fd(struct conn *c);
/* Sends all that is queued, blocking at most timeout_ms; for the last words before an end. */
int conn_drain(struct conn *c, int timeout_ms);

#endif

/* msg.h - messages over one byte stream: client <-> ketch-monitor <-> guest agent
 *
 * The same messages start a process, carry its bytes and tell its end, whether it runs in a container of
 * this host or in a virtual machine: so every command works the same behind both walls.
 *
 * A frame is a 12-byte header, little endian, and a payload:
 *
 *	0  u32 length of the payload		4  u16 type	6  u16 zero	8  u32 stream
 *
 * A stream is one process: 0 is the instance's main process, others are made by START (exec).  A copy of files
 * is such a stream, too, made by GET or PUT: its process is one of Ketch's, inside; STDOUT (GET) or STDIN (PUT) is what
 * instance/file_request.h says, mostly a tar stream, STDERR the one line that says why it failed, and EXIT its status.
 * What is wrong at once (no such path) is FAILED.  Each connection numbers its own streams.  The sender of STDIN, STDOUT or STDERR bytes may have MSG_WINDOW of
 * them under way per stream and direction; the receiver gives CREDIT back as it consumes.
 *
 * The peer may be hostile (a guest): a type it may not send, a wrong length or a set reserved field ends the
 * connection.  Nothing that a guest sends is ever a path or a command on the host.
 */
#ifndef WIRE_MSG_H
#define WIRE_MSG_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"

#define MSG_VERSION    2
#define MSG_HEADER     12
#define MSG_WINDOW     (256 * 1024)
#define MSG_MAX_DATA   (64 * 1024) /* STDIN, STDOUT, STDERR and all that a guest sends */
#define MSG_MAX_JSON   (4 * 1024 * 1024) /* CONFIG and START: ARG_MAX with room */
#define MSG_MAX_PATHS  (64 * 1024) /* GET and PUT */
#define MSG_SEED_BYTES 32
#define MSG_MAX_TOP    (4 * 1024 * 1024) /* the parts of an answer to TOP together */

enum msg_type {
	MSG_NONE,
	MSG_HELLO, /* both, first: u32 MSG_VERSION */
	MSG_CONFIG, /* to guest: JSON struct guest_config (instance/guest.h) */
	MSG_READY, /* from guest: CONFIG is done */
	MSG_ATTACH, /* client to monitor: take part in stream 0; u32 of enum attach_flags.  None of them, once attached
			* or on the stream of an exec: leave it as it is, its stdin open */
	MSG_START, /* start a process: JSON struct process */
	MSG_STARTED, /* u32 pid as the host (container) or the guest kernel (VM) counts */
	MSG_FAILED, /* not started: u32 exit status (125, 126, 127), then text for the user; ends the stream */
	MSG_STDIN, /* bytes */
	MSG_STDIN_EOF, /* empty */
	MSG_STDOUT, /* bytes */
	MSG_STDERR, /* bytes */
	MSG_CREDIT, /* u32 which (0, 1, 2), u32 bytes consumed */
	MSG_RESIZE, /* u32 rows, u32 columns */
	MSG_SIGNAL, /* u32 signal number */
	MSG_EXIT, /* u32 exit status (0-255; 128+n for a signal), u32 flags (1: out of memory); ends the stream,
			* after all of its output */
	MSG_STATS, /* ask for statistics */
	MSG_STATS_REPLY, /* JSON struct stats (instance/stats.h) */
	MSG_SHUTDOWN, /* to guest: sync and power off */
	MSG_STOP, /* client to monitor: end the instance: u32 signal, u32 seconds until SIGKILL; SIGKILL and 0: as it is */
	MSG_ERROR, /* u32 errno, text: a request could not be done; the stream goes on */
	MSG_CLOCK, /* to guest, before CONFIG: the host's time, u32 seconds since 1970, u32 nanoseconds */
	MSG_GET, /* files come out: JSON struct file_request (instance/file_request.h) */
	MSG_PUT, /* files go in: the same */
	MSG_PAUSE, /* u32 1: all of the instance stands still; 0: it goes on */
	MSG_PAUSED, /* the answer: u32 errno (0: done), text */
	MSG_TOP, /* which processes are there? */
	MSG_TOP_REPLY, /* JSON array of struct process_row (instance/process_list.h), more of it, and at last an empty one */
	MSG_UPDATE, /* new limits: JSON struct instance_update (instance/update.h) */
	MSG_UPDATE_REPLY, /* u32 errno, text: why it was not done; 0: it was */
	MSG_NETWORK, /* to guest: the instance comes onto a network or leaves it: JSON struct net_change (instance/net_change.h) */
	MSG_NETWORK_REPLY, /* u32 errno, text: why it was not done; 0: it was */
	MSG_SEED, /* to guest, before CONFIG: 32 bytes of the host's random numbers, for one that was restored */
	MSG_SAVE, /* the memory of a machine goes into a snapshot: u32 of enum save_step, text: its id */
	MSG_SAVED, /* the answer: u32 errno, text: why it was not done; 0: numbers about it, as JSON */
	MSG_PORT, /* client to monitor: of a socket that holds a published port: u32 of enum port_step, text: its name (instance/boot.h) */
	MSG_PORT_REPLY, /* u32 errno, text: why it was not done; 0: it was */
	MSG_SILENCE, /* to guest: u32 1: its memory is about to be saved: it answers with the same and says no more; 0: it goes on.
			 * A HELLO instead: it was restored, and this is another host */
	MSG_N,
};

enum port_step {
	PORT_LET_GO, /* also of one that is not there */
	PORT_HOLD, /* the descriptor comes with the message (wire/conn.h) */
	PORT_LOOK, /* is there somebody at its other end?  ENXIO: no more; ENOENT: it is not held */
};

/* Who asks for SAVE_REST holds the machine up: it goes on at SAVE_GO_ON, or when its connection ends. */
enum save_step {
	SAVE_GO_ON,
	SAVE_WRITE, /* the RAM is written while the machine runs */
	SAVE_REST, /* it stands still, and the rest is written */
	SAVE_DISK, /* its disk is written to this layer from now on: the id is of that; errno ENOTSUP: it goes on as before */
	SAVE_BACK, /* it goes back to this snapshot in place; errno ENOTSUP: it was not restored from that, and runs on */
};

enum attach_flags { ATTACH_STDIN = 1, ATTACH_STDOUT = 2, ATTACH_STDERR = 4 };

struct msg {
	enum msg_type type;
	uint32_t stream;
	const void *data; /* borrowed: lives until the next call on its buffer */
	size_t len;
};

/* Who sends, which decides what is allowed. */
enum msg_peer { PEER_MONITOR = 1, PEER_GUEST = 2, PEER_CLIENT = 4 };

const char *msg_name(enum msg_type t);
/* START, GET and PUT begin a stream. */
bool msg_begins_stream(enum msg_type t);
/* STATS, TOP, UPDATE and NETWORK are questions about the whole instance, on stream 0, answered in order: what answers this one;
 * NONE: it is no question. */
enum msg_type msg_answer(enum msg_type question);
/* Appends one frame. */
void msg_put(struct buf *out, enum msg_type t, uint32_t stream, const void *data, size_t n);
void msg_put_u32(struct buf *out, enum msg_type t, uint32_t stream, uint32_t v);
void msg_put_u32x2(struct buf *out, enum msg_type t, uint32_t stream, uint32_t v, uint32_t w);
/* MSG_FAILED, MSG_ERROR, MSG_PAUSED and replies: a number and a text. */
void msg_put_text(struct buf *out, enum msg_type t, uint32_t stream, uint32_t v, const char *text);
/* Looks at the front of `in`, which holds bytes from `from`.  1: *ret is a whole message, to be dropped
 * afterwards with msg_drop; 0: more bytes are needed; -EPROTO: the peer breaks the rules above. */
int msg_peek(const struct buf *in, enum msg_peer from, struct msg *ret, struct err *e);
void msg_drop(struct buf *in, const struct msg *m);
/* The i-th u32 of the payload; its length was checked by msg_peek. */
uint32_t msg_u32(const struct msg *m, unsigned i);
/* The text behind the u32 of FAILED, ERROR, PAUSED, UPDATE_REPLY and NETWORK_REPLY as a new string, made printable; NULL when out of memory. */
char *msg_text(const struct msg *m);

#endif

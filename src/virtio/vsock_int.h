/* vsock_int.h - between vsock.c (life), vsock_packet.c (packets) and vsock_conn.c (connections)
 *
 * A connection:  FREE -> ASKED -> OPEN     begun by the host: REQUEST is sent, RESPONSE awaited
 *		  FREE -> OPEN -> LINGER    the host's end is gone and closed: SHUTDOWN is sent, RST awaited
 *		  any -> FREE               RST, sent or received
 *		  any -> DEAD -> FREE       reset of the device by a vcpu's thread; the loop's thread closes
 *
 * Credit (section 5.10.6.3) has no counters of its own beside those of the protocol: what lies in `buf` is
 * from_guest - forwarded bytes, and forwarded is what is told as fwd_cnt.
 */
#ifndef VIRTIO_VSOCK_INT_H
#define VIRTIO_VSOCK_INT_H

#include "virtio/vsock.h"

#define VSOCK_QUEUE_RX	  0
#define VSOCK_QUEUE_TX	  1
#define VSOCK_QUEUE_EVENT 2

/* What the guest may send beyond what its peer has read: as much as Linux has for a socket of its own. */
#define VSOCK_BUF_BYTES (256u << 10)
/* Answers by RST that wait for buffers; with so few places left, no packet is taken that may need one. */
#define VSOCK_MAX_RSTS 256
#define VSOCK_RSTS_ARE_MANY                                                                                  \
	(VSOCK_MAX_RSTS - VSOCK_MAX_CONNS) /* the rest is for connections that end from our side */
#define VSOCK_MAX_BURST 16 /* buffers filled by one read: 64 KiB in those of Linux */
#define VSOCK_MAX_IOV	(2 * VQ_MAX_SEGS) /* the first buffer always fits */

enum vsock_op {
	VSOCK_OP_REQUEST = 1,
	VSOCK_OP_RESPONSE = 2,
	VSOCK_OP_RST = 3,
	VSOCK_OP_SHUTDOWN = 4,
	VSOCK_OP_RW = 5,
	VSOCK_OP_CREDIT_UPDATE = 6,
	VSOCK_OP_CREDIT_REQUEST = 7,
	VSOCK_N_OPS,
};

#define VSOCK_TYPE_STREAM 1

/* Flags of SHUTDOWN. */
#define VSOCK_NO_RECEIVE 1u
#define VSOCK_NO_SEND	 2u
#define VSOCK_SHUT	 3u

struct vsock_hdr {
	uint64_t src_cid, dst_cid;
	uint32_t src_port, dst_port;
	uint32_t len;
	uint16_t type, op;
	uint32_t flags;
	uint32_t buf_alloc, fwd_cnt;
} __attribute__((packed));

#define VSOCK_HDR sizeof(struct vsock_hdr)

enum vsock_conn_state { VSOCK_FREE, VSOCK_ASKED, VSOCK_OPEN, VSOCK_LINGER, VSOCK_DEAD };

struct vsock_conn {
	struct vsock *v;
	struct watch watch; /* fd -1: closed */
	enum vsock_conn_state state;
	uint32_t guest_port, host_port;
	uint32_t serial; /* the lower, the older */
	uint8_t owed; /* packets to the guest: 1 << enum vsock_op */
	uint8_t guest_shut, host_shut; /* VSOCK_NO_...: what each side said */
	uint8_t guest_shut_told; /* of it, what the socket knows */
	bool hung_up; /* the host's end is closed: what is still to be read is all */
	bool readable; /* until recvmsg says EAGAIN */
	bool starved; /* CREDIT_REQUEST was sent, no credit came yet */
	unsigned burst; /* buffers to fill by the next read */
	uint32_t to_guest, guest_alloc,
		guest_fwd; /* tx_cnt, peer_buf_alloc, peer_fwd_cnt of the specification */
	uint32_t from_guest, forwarded,
		told; /* bytes taken; handed to the socket; of these, told to the guest */
	uint8_t *buf; /* VSOCK_BUF_BYTES, a ring */
	bool buf_touched;
};

struct vsock_rst {
	uint64_t host_cid;
	uint32_t host_port, guest_port;
	uint32_t forwarded; /* of its connection, if there was one */
	uint16_t type;
};

struct vsock_inner {
	struct watch doorbell; /* an eventfd: work for the loop's thread */
	struct vsock_port ports[VSOCK_MAX_PORTS]; /* fd -1: used */
	unsigned n_ports;
	struct vsock_conn conns[VSOCK_MAX_CONNS];
	struct vsock_conn *last; /* found last */
	uint64_t ready; /* connections that may have something for the guest; a bit each */
	unsigned turn; /* whose turn comes first */
	uint32_t next_port, next_serial;
	struct vsock_rst rsts[VSOCK_MAX_RSTS]; /* a ring */
	unsigned first_rst, n_rsts;
	bool tx_waiting, rx_empty, reset_owed;
	uint8_t *pool; /* VSOCK_MAX_CONNS x VSOCK_BUF_BYTES */
	struct vq_chain tx, rx[VSOCK_MAX_BURST];
	struct iovec iov[VSOCK_MAX_IOV];
};

/* --- vsock.c */

/* Does what can be done in both directions. */
void vsock_run(struct vsock *v);

/* --- vsock_packet.c */

void vsock_answer_rst(struct vsock *v, const struct vsock_rst *rst);
/* Is something in the guest's queue, and a place for the answer? */
bool vsock_may_take(const struct vsock *v);
/* From the guest; to it; that event. */
void vsock_take(struct vsock *v);
void vsock_serve(struct vsock *v);
void vsock_give_event(struct vsock *v);

/* --- vsock_conn.c; all but vsock_conns_drop on the loop's thread */

struct vsock_conn *vsock_conn_find(struct vsock *v, uint32_t guest_port, uint32_t host_port);
/* NULL: too many, or the loop refuses fd.  Takes fd. */
struct vsock_conn *vsock_conn_new(struct vsock *v, uint32_t guest_port, uint32_t host_port, int fd);
void vsock_conn_free(struct vsock_conn *c);
/* Answers RST and frees. */
void vsock_conn_reset(struct vsock_conn *c);
/* len bytes of payload from the guest, which had credit for them. */
void vsock_conn_write(struct vsock_conn *c, const struct vq_chain *k, uint32_t len);
/* Up to n places are filled: bytes; 0: nothing (and what that means is noted). */
uint32_t vsock_conn_read(struct vsock_conn *c, struct iovec *iov, unsigned n);
/* What follows from a change of a connection; may free it. */
void vsock_conn_settle(struct vsock_conn *c);
/* Bytes that the guest has room for. */
uint32_t vsock_conn_credit(const struct vsock_conn *c);
bool vsock_conn_can_read(const struct vsock_conn *c);
/* All that are alive become DEAD; frees those. */
void vsock_conns_drop(struct vsock *v);
void vsock_conns_reap(struct vsock *v);

#endif

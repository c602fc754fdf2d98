/* vsock_packet.c - packets of the socket device, from the guest and to it
 *
 * From the guest: each packet is checked, finds its connection by both ports and goes through the table
 * below.  It is given back at once: what a socket does not take yet is kept by the connection
 * (vsock_conn.c).  To the guest: RSTs first, from a ring of their own; then connections in turn, each one
 * packet that it owes or one read of its socket.  Where the guest gives no buffers, everything waits;
 * where so many RSTs wait that one more might not find a place, packets wait in the guest's queue (section
 * 5.10.6.1).
 */
#include "virtio/vsock_int.h"

#define PACKETS_A_TURN 64 /* in each direction: at most 4 MiB in packets as Linux makes them */
#define BYTES_A_TURN   (64u << 10) /* of a connection's data */
#define EVENT_RESET    0

/* --- packets to the guest */

void vsock_answer_rst(struct vsock *v, const struct vsock_rst *rst)
{
	struct vsock_inner *in = v->in;

	if (in->n_rsts < VSOCK_MAX_RSTS)
		in->rsts[(in->first_rst + in->n_rsts++) % VSOCK_MAX_RSTS] = *rst;
}

static bool take_buffer(struct vsock *v, struct vq_chain *k)
{
	if (!virtio_pop(&v->dev, VSOCK_QUEUE_RX, k)) {
		v->in->rx_empty = true;
		return false;
	}
	if (k->n_out || k->in_bytes <= VSOCK_HDR) {
		virtio_fail(&v->dev);
		return false;
	}
	return true;
}

/* The header of a packet of the connection: tells its credit too. */
static struct vsock_hdr header_of(struct vsock_conn *c, uint16_t op)
{
	c->told = c->forwarded;
	c->owed &= ~(1 << VSOCK_OP_CREDIT_UPDATE);
	return (struct vsock_hdr){
		.src_cid = VSOCK_HOST_CID,
		.dst_cid = c->v->config.guest_cid,
		.src_port = c->host_port,
		.dst_port = c->guest_port,
		.type = VSOCK_TYPE_STREAM,
		.op = op,
		.buf_alloc = VSOCK_BUF_BYTES,
		.fwd_cnt = c->forwarded,
	};
}

static void give(struct vsock *v, const struct vq_chain *k, const struct vsock_hdr *h)
{
	vq_chain_write(k, 0, h, VSOCK_HDR);
	vq_push(&v->dev.queues[VSOCK_QUEUE_RX], k->head, (uint32_t)VSOCK_HDR + h->len);
	v->dev.counters.requests++;
	v->dev.counters.bytes_in += h->len;
}

static bool give_rst(struct vsock *v)
{
	struct vsock_inner *in = v->in;
	const struct vsock_rst *rst = &in->rsts[in->first_rst];
	const struct vsock_hdr h = {
		.src_cid = rst->host_cid,
		.dst_cid = v->config.guest_cid,
		.src_port = rst->host_port,
		.dst_port = rst->guest_port,
		.type = rst->type,
		.op = VSOCK_OP_RST,
		.buf_alloc = VSOCK_BUF_BYTES,
		.fwd_cnt = rst->forwarded,
	};

	if (!take_buffer(v, in->rx))
		return false;
	give(v, in->rx, &h);
	in->first_rst = (in->first_rst + 1) % VSOCK_MAX_RSTS;
	in->n_rsts--;
	return true;
}

/* What is owed now: the last bytes of a host that has gone come before the news that it has. */
static unsigned owed_now(const struct vsock_conn *c)
{
	bool data_first = c->hung_up && vsock_conn_can_read(c) && vsock_conn_credit(c);

	return data_first ? c->owed & ~(1u << VSOCK_OP_SHUTDOWN) : c->owed;
}

static bool give_owed(struct vsock_conn *c, unsigned owed)
{
	uint16_t op = (uint16_t)__builtin_ctz(owed); /* the first: REQUEST and RESPONSE come before all */
	struct vsock_hdr h;

	if (!take_buffer(c->v, c->v->in->rx))
		return false;
	h = header_of(c, op);
	h.flags = op == VSOCK_OP_SHUTDOWN ? c->host_shut : 0;
	c->owed &= ~(1 << op);
	give(c->v, c->v->in->rx, &h);
	return true;
}

/* Buffers for the next read and the places in them: returns how many buffers, each with its bytes in
 * parts. */
static unsigned take_places(struct vsock_conn *c, uint32_t parts[VSOCK_MAX_BURST], unsigned *ret_n_iov)
{
	struct vsock_inner *in = c->v->in;
	uint32_t want = vsock_conn_credit(c);
	unsigned n = 0, n_iov = 0, more;

	want = want < BYTES_A_TURN ? want : BYTES_A_TURN;
	while (n < c->burst && want && take_buffer(c->v, &in->rx[n])) {
		uint32_t part = in->rx[n].in_bytes - (uint32_t)VSOCK_HDR;

		part = part < want ? part : want;
		more = vq_chain_in(&in->rx[n], VSOCK_HDR, part, in->iov + n_iov, VSOCK_MAX_IOV - n_iov);
		if (!more) {
			vq_unpop(&c->v->dev.queues[VSOCK_QUEUE_RX]);
			break;
		}
		parts[n++] = part;
		n_iov += more;
		want -= part;
	}
	*ret_n_iov = n_iov;
	return n;
}

/* false: there are no buffers. */
static bool give_data(struct vsock_conn *c)
{
	struct vsock *v = c->v;
	uint32_t parts[VSOCK_MAX_BURST], left;
	unsigned n_iov, used = 0, n = take_places(c, parts, &n_iov);

	if (!n || !virtio_is_running(&v->dev))
		return !v->in->rx_empty && virtio_is_running(&v->dev);
	left = vsock_conn_read(c, v->in->iov, n_iov);
	c->to_guest += left;
	for (; used < n && left; used++) {
		struct vsock_hdr h = header_of(c, VSOCK_OP_RW);

		h.len = left < parts[used] ? left : parts[used];
		left -= h.len;
		give(v, &v->in->rx[used], &h);
	}
	/* as many as were filled, or twice that when it might have been more */
	c->burst = used < n ? used + !used : n * 2 < VSOCK_MAX_BURST ? n * 2 : VSOCK_MAX_BURST;
	if (used < n)
		v->in->rx_empty = false; /* it asked for one more than there were, and did not need it */
	for (unsigned i = used; i < n; i++)
		vq_unpop(&v->dev.queues[VSOCK_QUEUE_RX]);
	return true;
}

/* The next of these connections in turn. */
static unsigned next_in_turn(struct vsock_inner *in, uint64_t of)
{
	uint64_t from_turn = of & (UINT64_MAX << in->turn);
	unsigned i = (unsigned)__builtin_ctzll(from_turn ? from_turn : of);

	in->turn = (i + 1) % VSOCK_MAX_CONNS;
	return i;
}

void vsock_give_event(struct vsock *v)
{
	const uint32_t event = EVENT_RESET;
	struct vq_chain *k = v->in->rx;

	if (!v->in->reset_owed || !virtio_pop(&v->dev, VSOCK_QUEUE_EVENT, k))
		return;
	if (!vq_chain_write(k, 0, &event, sizeof(event))) {
		virtio_fail(&v->dev);
		return;
	}
	v->in->reset_owed = false;
	vq_push(&v->dev.queues[VSOCK_QUEUE_EVENT], k->head, sizeof(event));
	virtio_notify(&v->dev, VSOCK_QUEUE_EVENT);
}

/* Each connection gives what it owes and BYTES_A_TURN; who has more waits for the next turn, because
 * others may be ready of which the loop has not told us yet. */
void vsock_serve(struct vsock *v)
{
	struct vsock_inner *in = v->in;
	uint64_t todo = in->ready;
	uint32_t given[VSOCK_MAX_CONNS] = { 0 };

	in->rx_empty = false;
	while (in->n_rsts && give_rst(v))
		;
	for (unsigned n = 0; n < PACKETS_A_TURN && (todo &= in->ready) && !in->n_rsts; n++) {
		unsigned i = next_in_turn(in, todo);
		struct vsock_conn *c = &in->conns[i];
		unsigned owed = owed_now(c);
		uint32_t before = c->to_guest;

		if (!(owed ? give_owed(c, owed) : give_data(c)))
			break;
		given[i] += c->to_guest - before;
		if (given[i] >= BYTES_A_TURN)
			todo &= ~(UINT64_C(1) << i);
		vsock_conn_settle(c);
	}
	virtio_notify(&v->dev, VSOCK_QUEUE_RX);
}

/* --- packets from the guest */

/* false: it is not allowed now. */
static bool on_response(struct vsock_conn *c, const struct vsock_hdr *h, const struct vq_chain *k)
{
	if (c->state != VSOCK_ASKED || (c->owed & 1 << VSOCK_OP_REQUEST))
		return false;
	c->state = VSOCK_OPEN;
	return true;
}

static bool on_shutdown(struct vsock_conn *c, const struct vsock_hdr *h, const struct vq_chain *k)
{
	if (c->state == VSOCK_ASKED)
		return false;
	c->guest_shut |= h->flags & VSOCK_SHUT;
	return true;
}

static bool on_data(struct vsock_conn *c, const struct vsock_hdr *h, const struct vq_chain *k)
{
	if (c->state == VSOCK_ASKED || (c->guest_shut & VSOCK_NO_SEND))
		return false;
	if (h->len > VSOCK_BUF_BYTES - (c->from_guest - c->forwarded))
		return false;
	vsock_conn_write(c, k, h->len);
	c->v->dev.counters.bytes_out += h->len;
	return true;
}

static bool on_credit_update(struct vsock_conn *c, const struct vsock_hdr *h, const struct vq_chain *k)
{
	return c->state != VSOCK_ASKED;
}

static bool on_credit_request(struct vsock_conn *c, const struct vsock_hdr *h, const struct vq_chain *k)
{
	if (c->state == VSOCK_ASKED)
		return false;
	c->owed |= 1 << VSOCK_OP_CREDIT_UPDATE;
	return true;
}

/* For a connection that is there; RST is not among them, REQUEST and what has no row are breaches. */
static bool (*const on_op[VSOCK_N_OPS])(struct vsock_conn *, const struct vsock_hdr *,
					const struct vq_chain *) = {
	[VSOCK_OP_RESPONSE] = on_response,
	[VSOCK_OP_SHUTDOWN] = on_shutdown,
	[VSOCK_OP_RW] = on_data,
	[VSOCK_OP_CREDIT_UPDATE] = on_credit_update,
	[VSOCK_OP_CREDIT_REQUEST] = on_credit_request,
};

static void note_credit(struct vsock_conn *c, const struct vsock_hdr *h)
{
	c->guest_alloc = h->buf_alloc;
	c->guest_fwd = h->fwd_cnt;
	if (vsock_conn_credit(c))
		c->starved = false;
}

/* A connection of the guest: NULL where nobody listens, or there are too many. */
static struct vsock_conn *accept_request(struct vsock *v, const struct vsock_hdr *h)
{
	struct vsock_inner *in = v->in;
	struct vsock_conn *c;

	for (unsigned i = 0; i < in->n_ports; i++) {
		struct vsock_port *p = &in->ports[i];

		if (p->fd < 0 || p->port != h->dst_port)
			continue;
		c = vsock_conn_new(v, h->src_port, h->dst_port, p->fd);
		if (c) {
			p->fd = -1;
			c->owed = 1 << VSOCK_OP_RESPONSE;
		}
		return c;
	}
	return NULL;
}

static void on_packet(struct vsock *v, const struct vsock_hdr *h, const struct vq_chain *k)
{
	struct vsock_conn *c = NULL;

	/* nobody is there to be answered: an answer must go to the guest's CID (section 5.10.6.4) */
	if (h->src_cid != v->config.guest_cid)
		return;
	if (h->dst_cid == VSOCK_HOST_CID && h->type == VSOCK_TYPE_STREAM) {
		c = vsock_conn_find(v, h->src_port, h->dst_port);
		if (!c && h->op == VSOCK_OP_REQUEST) {
			c = accept_request(v, h);
		} else if (c && h->op == VSOCK_OP_RST) {
			vsock_conn_free(c);
			return;
		} else if (c && (h->op >= VSOCK_N_OPS || !on_op[h->op] || !on_op[h->op](c, h, k))) {
			vsock_conn_reset(c);
			return;
		}
	}
	if (c) {
		note_credit(c, h);
		vsock_conn_settle(c);
	} else if (h->op != VSOCK_OP_RST) {
		const struct vsock_rst rst = { h->dst_cid, h->dst_port, h->src_port, 0, h->type };

		vsock_answer_rst(v, &rst);
	}
}

bool vsock_may_take(const struct vsock *v)
{
	return v->in->tx_waiting && v->in->n_rsts < VSOCK_RSTS_ARE_MANY;
}

void vsock_take(struct vsock *v)
{
	struct vq_chain *k = &v->in->tx;
	struct vsock_hdr h;

	for (unsigned i = 0; i < PACKETS_A_TURN && vsock_may_take(v); i++) {
		if (!virtio_pop(&v->dev, VSOCK_QUEUE_TX, k)) {
			v->in->tx_waiting = false;
			break;
		}
		if (k->n_in || !vq_chain_read(k, 0, &h, VSOCK_HDR) || h.len > k->out_bytes - VSOCK_HDR) {
			virtio_fail(&v->dev);
			break;
		}
		v->dev.counters.requests++;
		on_packet(v, &h, k);
		vq_push(&v->dev.queues[VSOCK_QUEUE_TX], k->head, 0);
	}
	virtio_notify(&v->dev, VSOCK_QUEUE_TX);
}

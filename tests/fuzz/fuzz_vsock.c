/* fuzz_vsock.c - a guest and a host that do anything with the socket device, in any order
 *
 * The input is a script: a byte says who does what, the next bytes how.  Checked after each step: what the
 * guest hears is well formed and within its credit, the device's books are right, and the loop comes to
 * rest (rig_turn).
 */
#include "../unit/virtio/rig.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "virtio/vsock_int.h"

#define CID	   7
#define N_PORTS	   6
#define N_ENDS	   32
#define MOST_STEPS 400
#define RX_PLACES  64 /* buffers under way */
#define RX_BYTES   8192

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct script {
	const uint8_t *at, *end;
};

static struct rig *r;
static struct vsock v;
static int ends[N_ENDS];
static unsigned n_ends;
static uint64_t rx_base, tx_base;
static uint64_t rx_gpa[1024];
static uint32_t rx_len[1024];
static unsigned n_rx;
static uint8_t noise[VSOCK_BUF_BYTES];

static uint8_t u8(struct script *s)
{
	return s->at < s->end ? *s->at++ : 0;
}

/* Mostly small, sometimes anything. */
static uint32_t u32(struct script *s)
{
	uint8_t b = u8(s);

	if (b < 200)
		return b;
	if (b < 250)
		return (uint32_t)(b - 199) << 12 | u8(s);
	return (uint32_t)u8(s) << 24 | (uint32_t)u8(s) << 16 | (uint32_t)u8(s) << 8 | u8(s);
}

static void check(bool ok)
{
	if (!ok)
		abort();
}

/* --- the guest */

static void packet(struct script *s)
{
	struct vsock_hdr h = {
		.src_cid = CID,
		.dst_cid = VSOCK_HOST_CID,
		.type = VSOCK_TYPE_STREAM,
		.op = u8(s) % 9,
		.flags = u8(s) % 5,
		.len = u32(s),
		.buf_alloc = u32(s) << 4,
		.fwd_cnt = u32(s),
	};
	uint8_t who = u8(s), cut = u8(s);
	uint32_t bytes;

	h.src_port = who & 3;
	h.dst_port = who & 0x80 ? UINT32_C(0x40000000) + (who >> 2 & 7) : who >> 2 & 7;
	if (cut == 255)
		h.dst_cid = u32(s);
	if (cut == 254)
		h.type = u8(s);
	if (cut == 253)
		h.src_cid = u32(s);
	bytes = (uint32_t)VSOCK_HDR + (h.len <= sizeof(noise) ? h.len : 0);
	memcpy(rig_at(r, tx_base), &h, sizeof(h));
	cut = cut % 60 + 1;
	if (cut < bytes)
		rig_add(r, VSOCK_QUEUE_TX,
			(struct rig_buf[]){ { tx_base, cut, false }, { tx_base + cut, bytes - cut, false } },
			2);
	else
		rig_add(r, VSOCK_QUEUE_TX, &(struct rig_buf){ tx_base, bytes, false }, 1);
	rig_kick(r, VSOCK_QUEUE_TX);
}

static void add_buffers(struct script *s)
{
	unsigned n = u8(s) % 20;
	uint32_t len = u32(s) % RX_BYTES + 1;

	for (; n && n_rx < RX_PLACES; n--, n_rx++) {
		uint64_t at = rx_base + r->q[VSOCK_QUEUE_RX].next_avail % RX_PLACES * RX_BYTES;
		uint32_t first = len > 60 ? len / 2 : len;
		struct rig_buf b[] = { { at, first, true }, { at + first, len - first, true } };
		uint16_t head = rig_add(r, VSOCK_QUEUE_RX, b, first < len ? 2 : 1);

		rx_gpa[head] = at;
		rx_len[head] = len;
	}
	rig_kick(r, VSOCK_QUEUE_RX);
}

static void hear(void)
{
	struct vsock_hdr h;
	struct rig_used u;

	while (rig_take(r, VSOCK_QUEUE_TX, &u))
		check(u.len == 0);
	while (rig_take(r, VSOCK_QUEUE_RX, &u)) {
		n_rx--;
		check(u.id < 128 && u.len >= VSOCK_HDR && u.len <= rx_len[u.id]);
		memcpy(&h, rig_at(r, rx_gpa[u.id]), VSOCK_HDR);
		check(h.dst_cid == CID && h.len == u.len - VSOCK_HDR);
		check(h.op >= VSOCK_OP_REQUEST && h.op <= VSOCK_OP_CREDIT_REQUEST);
		check(h.op == VSOCK_OP_RST || (h.type == VSOCK_TYPE_STREAM && h.src_cid == VSOCK_HOST_CID));
		check((h.op == VSOCK_OP_RW) == (h.len > 0) && h.buf_alloc == VSOCK_BUF_BYTES);
		check((h.op == VSOCK_OP_SHUTDOWN) == (h.flags != 0) && h.flags <= VSOCK_SHUT);
	}
}

/* --- the host */

static void host(struct script *s, uint8_t what)
{
	int *end = &ends[u8(s) % N_ENDS];
	uint32_t n = u32(s) % sizeof(noise);
	uint8_t buf[4096];

	if (*end < 0)
		return;
	if (what == 0) {
		send(*end, noise, n, MSG_DONTWAIT | MSG_NOSIGNAL);
	} else if (what == 1) {
		while (recv(*end, buf, sizeof(buf), MSG_DONTWAIT) > 0 && n-- > 4000)
			;
	} else if (what == 2) {
		shutdown(*end, n % 3 == 0 ? SHUT_RD : n % 3 == 1 ? SHUT_WR : SHUT_RDWR);
	} else {
		close(*end);
		*end = -1;
	}
}

static int new_end(void)
{
	int p[2];

	if (n_ends == N_ENDS || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, p) < 0)
		return -1;
	ends[n_ends++] = p[0];
	return p[1];
}

static void connect_to_guest(struct script *s)
{
	int fd = new_end();

	if (fd >= 0 && vsock_connect(&v, u8(s) & 3, fd) < 0)
		close(fd);
}

static void start(void)
{
	r->heap = tx_base + VSOCK_HDR + sizeof(noise);
	n_rx = 0;
	rig_start(r, &v.dev, 0);
}

static void check_books(void)
{
	for (unsigned i = 0; i < VSOCK_MAX_CONNS; i++) {
		const struct vsock_conn *c = &v.in->conns[i];
		bool ready = v.in->ready >> i & 1;

		check(c->state != VSOCK_DEAD); /* the loop has had its turn */
		if (c->state == VSOCK_FREE) {
			check(c->watch.fd < 0 && !ready && !c->buf_touched);
			continue;
		}
		check((c->watch.fd < 0) == (c->state == VSOCK_LINGER));
		check(c->from_guest - c->forwarded <= VSOCK_BUF_BYTES);
		check(c->forwarded - c->told <= VSOCK_BUF_BYTES);
		check(!c->owed || ready);
		/* who can go on is not forgotten, and who cannot does not keep the loop busy */
		check(ready == (c->owed || (vsock_conn_can_read(c) && vsock_conn_credit(c))));
	}
	check(v.in->n_rsts <= VSOCK_MAX_RSTS);
}

static void step(struct script *s)
{
	uint8_t what = u8(s) % 16;

	if (what < 6)
		packet(s);
	else if (what < 9)
		add_buffers(s);
	else if (what < 13)
		host(s, what - 9);
	else if (what < 15)
		connect_to_guest(s);
	else if (u8(s) < 32 || rig_needs_reset(r))
		start();
	rig_turn(r);
	hear();
	check_books();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct vsock_port ports[N_PORTS];
	const struct vsock_spec spec = { CID, ports, N_PORTS };
	struct script s = { data, data + size };

	if (!r) {
		r = rig_new();
		rx_base = rig_alloc(r, RX_PLACES * RX_BYTES, 4096);
		tx_base = rig_alloc(r, VSOCK_HDR + sizeof(noise), 4096);
	}
	memset(ends, -1, sizeof(ends));
	n_ends = 0;
	for (unsigned i = 0; i < N_PORTS; i++)
		ports[i] = (struct vsock_port){ i, new_end() };
	check(vsock_init(&v, &spec, &r->ram, r->loop) == 0);
	start();
	for (unsigned i = 0; i < MOST_STEPS && s.at < s.end; i++)
		step(&s);
	vsock_done(&v);
	for (unsigned i = 0; i < n_ends; i++)
		if (ends[i] >= 0)
			close(ends[i]);
	return 0;
}

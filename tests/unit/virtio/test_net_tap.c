/* test_net_tap.c - the network device on a real tap, in a network namespace of its own; a packet socket is the host's side */
#include "rig.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/ip.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/auto.h"
#include "virtio/net.h"

enum { RX, TX };
#define HDR	 12
#define SOCK_HDR 10 /* of a packet socket */
#define OFFLOADS                                                                                             \
	(UINT64_C(1) << 1 | UINT64_C(1) << 7 | UINT64_C(1) << 8) /* GUEST_CSUM, GUEST_TSO4, GUEST_TSO6 */
#define PAYLOAD	  20000 /* of one TCP segment before it is cut */
#define MSS	  1400
#define FRAME	  (14 + 20 + 20)
#define TAP_FLAGS (IFF_TAP | IFF_NO_PI | IFF_VNET_HDR)

static struct rig *r;
static struct net net;
static int tap, sock;

static int open_tap(int flags, int header)
{
	struct ifreq q = { .ifr_name = "tap%d" };
	int fd = open("/dev/net/tun", O_RDWR | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -1;
	q.ifr_flags = (short)flags;
	assert_int_equal(ioctl(fd, TUNSETIFF, &q), 0);
	assert_true(header == 0 || ioctl(fd, TUNSETVNETHDRSZ, &header) == 0);
	return fd;
}

/* The tap up, and a packet socket with headers that sees what comes out of the guest. */
static void open_sides(void)
{
	struct sockaddr_ll a = { .sll_family = AF_PACKET, .sll_protocol = htons(ETH_P_ALL) };
	struct ifreq q = { 0 };
	int one = 1;

	tap = open_tap(TAP_FLAGS, HDR);
	assert_int_equal(ioctl(tap, TUNGETIFF, &q), 0);
	sock = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK | SOCK_CLOEXEC, htons(ETH_P_ALL));
	assert_true(sock >= 0);
	assert_int_equal(setsockopt(sock, SOL_PACKET, PACKET_VNET_HDR, &one, sizeof(one)), 0);
	assert_int_equal(setsockopt(sock, SOL_PACKET, PACKET_IGNORE_OUTGOING, &one, sizeof(one)), 0);
	assert_int_equal(ioctl(sock, SIOCGIFINDEX, &q), 0);
	a.sll_ifindex = q.ifr_ifindex;
	q.ifr_flags = IFF_UP | IFF_NOARP;
	assert_int_equal(ioctl(sock, SIOCSIFFLAGS, &q), 0);
	assert_int_equal(bind(sock, (struct sockaddr *)&a, sizeof(a)), 0);
}

static void start(uint64_t without)
{
	struct net_config c = { .fd = tap, .mac = { 2, 0, 0, 1, 2, 3 } };

	r = rig_new();
	assert_int_equal(net_init(&net, &c, &r->ram, r->loop), 0);
	rig_start(r, &net.dev, without);
}

static int set_up(void **state)
{
	open_sides();
	start(0);
	return 0;
}

static int tear_down(void **state)
{
	net_done(&net);
	rig_free(r);
	close(tap);
	close(sock);
	return 0;
}

/* --- frames */

static uint16_t sum16(const uint8_t *p, size_t n, uint32_t sum)
{
	for (size_t i = 0; i + 1 < n; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)sum;
}

/* Ethernet, IPv4, TCP and payload behind a header of `hdr` bytes that asks for segments and a checksum; all its bytes. */
static size_t make_tcp(uint8_t *b, size_t hdr, size_t payload)
{
	const uint16_t offload[] = { FRAME, MSS, 34, 16 }; /* hdr_len, gso_size, csum_start, csum_offset */
	uint8_t *ip = b + hdr + 14, *tcp = ip + 20;
	size_t ip_len = 40 + payload;
	uint16_t sum;

	memset(b, 0, hdr + FRAME);
	b[0] = 1; /* NEEDS_CSUM */
	b[1] = payload > MSS ? 1 : 0; /* TCPv4 */
	memcpy(b + 2, offload, sizeof(offload));
	if (payload <= MSS)
		memset(b + 4, 0, 2);
	memcpy(b + hdr, "\x02\0\0\x01\x02\x03\x02\0\0\x0a\x0b\x0c\x08\0", 14);
	memcpy(ip, "\x45\0\0\0\0\x01\x40\0\x40\x06\0\0\x0a\0\0\x01\x0a\0\0\x02", 20);
	ip[2] = (uint8_t)(ip_len >> 8);
	ip[3] = (uint8_t)ip_len;
	sum = (uint16_t)~sum16(ip, 20, 0);
	ip[10] = (uint8_t)(sum >> 8);
	ip[11] = (uint8_t)sum;
	memcpy(tcp, "\x12\x34\x56\x78\0\0\0\x01\0\0\0\x01\x50\x10\x10\0", 16);
	sum = sum16(ip + 12, 8,
		    6 + 20 + (uint32_t)payload); /* the pseudo header's, as the offload wants it */
	tcp[16] = (uint8_t)(sum >> 8);
	tcp[17] = (uint8_t)sum;
	for (size_t i = 0; i < payload; i++)
		tcp[20 + i] = (uint8_t)(i * 7 + i / 251);
	return hdr + FRAME + payload;
}

/* A frame at the host's side that is TCP (the kernel sends some of its own); its bytes with SOCK_HDR. */
static ssize_t host_next(uint8_t *b, size_t n)
{
	struct pollfd p = { .fd = sock, .events = POLLIN };
	ssize_t got;

	while (poll(&p, 1, 5000) == 1) {
		got = recv(sock, b, n, 0);
		if (got > SOCK_HDR + FRAME && b[SOCK_HDR + 12] == 8 && b[SOCK_HDR + 23] == 6)
			return got;
	}
	return -1;
}

/* --- */

static void a_large_segment_leaves_the_guest_whole(void **state)
{
	static uint8_t got[70000];
	uint64_t b = rig_alloc(r, HDR + FRAME + PAYLOAD, 1);
	size_t n = make_tcp(rig_at(r, b), HDR, PAYLOAD);
	uint16_t head = rig_add(
		r, TX, (struct rig_buf[]){ { b, HDR, false }, { b + HDR, (uint32_t)n - HDR, false } }, 2);

	rig_kick(r, TX);
	rig_wait(r, TX, head);
	assert_int_equal(net.dropped, 0);
	assert_int_equal(host_next(got, sizeof(got)), n - HDR + SOCK_HDR);
	assert_int_equal(got[1], 1);
	assert_memory_equal(got + SOCK_HDR, (uint8_t *)rig_at(r, b) + HDR, n - HDR);
}

/* Sends PAYLOAD bytes from the host and takes frames until all have come; how many frames. */
static unsigned receive_all(size_t *ret_largest)
{
	static uint8_t b[70000];
	size_t n = make_tcp(b, SOCK_HDR, PAYLOAD), have = 0;
	uint64_t at = rig_alloc(r, 100 * UINT64_C(2048), 1);
	unsigned frames = 0, chain = 0;

	for (unsigned i = 0; i < 100; i++)
		rig_add(r, RX, &(struct rig_buf){ at + i * UINT64_C(2048), 2048, true }, 1);
	rig_kick(r, RX);
	rig_turn(r);
	if (send(sock, b, n, 0) != (ssize_t)n)
		fail_msg("send: %s", strerror(errno));
	*ret_largest = 0;
	while (have < PAYLOAD) {
		const uint8_t *first = rig_at(r, at + chain * UINT64_C(2048));
		size_t bytes = rig_next(r, RX).len;
		uint16_t num;

		memcpy(&num, first + 10, 2);
		for (unsigned i = 1; i < num; i++)
			bytes += rig_next(r, RX).len;
		chain += num;
		if (first[HDR + 12] != 8 || first[HDR + 23] != 6)
			continue; /* the kernel's own */
		frames++;
		have += bytes - HDR - FRAME;
		*ret_largest = bytes > *ret_largest ? bytes : *ret_largest;
		assert_memory_equal(first + HDR + FRAME, b + SOCK_HDR + FRAME + have - (bytes - HDR - FRAME),
				    500);
	}
	assert_int_equal(have, PAYLOAD);
	return frames;
}

static void a_large_segment_reaches_the_guest_whole(void **state)
{
	size_t largest;

	assert_true((rig_offered(r) & OFFLOADS) == OFFLOADS);
	assert_int_equal(receive_all(&largest), 1);
	assert_int_equal(largest, HDR + FRAME + PAYLOAD);
}

static void a_driver_without_offloads_gets_frames_that_are_cut(void **state)
{
	size_t largest;

	rig_start(r, &net.dev, OFFLOADS);
	assert_int_equal(receive_all(&largest), (PAYLOAD + MSS - 1) / MSS);
	assert_true(largest <= HDR + FRAME + MSS);
}

static void an_interface_that_goes_away_is_a_link_that_is_down(void **state)
{
	struct ifreq q = { 0 };
	uint16_t status = 0;
	char command[64];

	/* more than the host's own questions take (IPv6): who has no room does not listen, and is told with the next kick */
	for (int i = 0; i < 32; i++)
		rig_add(r, RX, &(struct rig_buf){ rig_alloc(r, 2048, 1), 2048, true }, 1);
	rig_kick(r, RX);
	rig_turn(r);
	virtio_mmio_read(&net.dev, R_CONFIG + 6, &status, 2);
	assert_int_equal(status, 1);
	assert_int_equal(ioctl(tap, TUNGETIFF, &q), 0);
	snprintf(command, sizeof(command), "ip link del %s", q.ifr_name);
	if (system(command) != 0) {
		print_message("no ip(8) here\n");
		skip();
	}
	/* the kernel may say it a moment after ip(8) has ended; a turn ends: it is not said for ever */
	for (int i = 0; i < 200 && status; i++) {
		poll(NULL, 0, i ? 10 : 0);
		rig_turn(r);
		virtio_mmio_read(&net.dev, R_CONFIG + 6, &status, 2);
	}
	assert_int_equal(status, 0);
	assert_int_equal(rig_get(r, R_INTERRUPT_STATUS) & 2, 2);
}

static void other_taps_are_refused(void **state)
{
	static const struct {
		int flags, header;
	} bad[] = {
		{ IFF_TUN | IFF_NO_PI | IFF_VNET_HDR, HDR },
		{ IFF_TAP | IFF_NO_PI, 0 },
		{ TAP_FLAGS, 10 },
	};
	struct net other;

	for (size_t i = 0; i < ARRAY_LEN(bad); i++) {
		struct net_config c = { .fd = open_tap(bad[i].flags, bad[i].header) };

		if (net_init(&other, &c, &r->ram, r->loop) != -EINVAL)
			fail_msg("case %zu", i);
		close(c.fd);
	}
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_large_segment_leaves_the_guest_whole),
		T(a_large_segment_reaches_the_guest_whole),
		T(a_driver_without_offloads_gets_frames_that_are_cut),
		T(an_interface_that_goes_away_is_a_link_that_is_down),
		T(other_taps_are_refused),
	};
	int fd;

	if (unshare(CLONE_NEWNET) < 0) {
		printf("skipped: no network namespace (%s)\n", strerror(errno));
		return 77;
	}
	fd = open_tap(TAP_FLAGS, HDR);
	if (fd < 0) {
		printf("skipped: no /dev/net/tun (%s)\n", strerror(errno));
		return 77;
	}
	close(fd);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

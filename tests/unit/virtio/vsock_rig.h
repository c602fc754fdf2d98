/* vsock_rig.h - a guest's driver of the socket device in a test: what it says, what it hears
 *
 *	say(VSOCK_OP_REQUEST, PORT);		a packet to that port of the host
 *	hear(VSOCK_OP_RESPONSE, PORT);		the next packet from there; anything else fails the test
 *
 * Set up and torn down for each case (vsock_set_up): a started device with buffers, sockets for three connections.
 */
#ifndef TESTS_VIRTIO_VSOCK_RIG_H
#define TESTS_VIRTIO_VSOCK_RIG_H

#include "rig.h"

#include "virtio/vsock_int.h"

#define CID	    7
#define RX_BYTES    4096
#define RX_BUFFERS  100
#define PORT	    1024 /* of the host; two connections */
#define OTHER	    1025
#define GUEST_PORT  50000
#define GUEST_ALLOC (256u << 10)

extern struct vsock v;
extern struct rig *r;
extern int ends[3]; /* the host's: of PORT, PORT, OTHER; -1: closed */
extern uint64_t rx_at[1024]; /* address of a buffer, by head */
extern uint64_t tx_at; /* where the guest lays what it says: a header and GUEST_ALLOC */

struct packet {
	struct vsock_hdr h;
	uint8_t data[RX_BYTES];
};

int vsock_set_up(void **state);
int vsock_tear_down(void **state);

/* Gives the device one more buffer. */
void add_rx(void);

/* --- the guest says */

struct vsock_hdr header(uint16_t op, uint32_t guest_port, uint32_t host_port);
/* h->len bytes of data, if not NULL. */
void say_bytes(const struct vsock_hdr *h, const void *data);
void say(uint16_t op, uint32_t host_port);
void say_shutdown(uint32_t host_port, uint32_t flags);
void say_data(uint32_t host_port, const void *data, uint32_t len);
/* Asks, and hears that it is. */
void connect_to(uint32_t host_port);

/* --- the guest hears */

/* Is there one more packet?  Its buffer goes back. */
bool hear_any(struct packet *p);
struct packet hear(uint16_t op, uint32_t host_port);
void hear_nothing(void);

/* --- the host */

void pair(int *ours, int *theirs);
/* The host connects to GUEST_PORT, and the guest hears that; the host's port. */
uint32_t connect_from_host(int *ret_end);
void assert_text(int fd, const char *text);
void assert_eof(int fd);
unsigned conns_in_use(void);

#endif

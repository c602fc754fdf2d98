/* net_int.h - between net.c (the device, sending) and net_rx.c (receiving) */
#ifndef VIRTIO_NET_INT_H
#define VIRTIO_NET_INT_H

#include "virtio/net.h"

enum { NET_RX, NET_TX }; /* queues */

/* Section 5.1.3. */
#define NET_F_CSUM	 (UINT64_C(1) << 0)
#define NET_F_GUEST_CSUM (UINT64_C(1) << 1)
#define NET_F_MTU	 (UINT64_C(1) << 3)
#define NET_F_MAC	 (UINT64_C(1) << 5)
#define NET_F_GUEST_TSO4 (UINT64_C(1) << 7)
#define NET_F_GUEST_TSO6 (UINT64_C(1) << 8)
#define NET_F_HOST_TSO4	 (UINT64_C(1) << 11)
#define NET_F_HOST_TSO6	 (UINT64_C(1) << 12)
#define NET_F_MRG_RXBUF	 (UINT64_C(1) << 15)
#define NET_F_STATUS	 (UINT64_C(1) << 16)

/* With the lock held, by the thread of the loop.  Reads the tap while there are buffers and frames, a turn at
 * most. */
void net_receive(struct net *n);
/* Forgets what is in the hand; gives it back to the queue with `back`. */
void net_drop_hand(struct net *n, bool back);

#endif

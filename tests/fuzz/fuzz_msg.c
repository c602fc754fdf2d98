/* fuzz_msg.c - frames from a hostile peer: taken whole or cut off, never read past their end */
#include <stdlib.h>

#include "wire/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void peek_all(const uint8_t *data, size_t size, enum msg_peer from)
{
	struct buf in = { 0 };
	struct err e = { 0 };
	struct msg m;

	buf_add(&in, data, size);
	while (msg_peek(&in, from, &m, &e) > 0) {
		if (m.type == MSG_FAILED || m.type == MSG_ERROR || m.type == MSG_SAVE ||
		    m.type == MSG_SAVED || m.type == MSG_PORT || m.type == MSG_PORT_REPLY)
			free(msg_text(&m));
		msg_drop(&in, &m);
	}
	buf_done(&in);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	peek_all(data, size, PEER_MONITOR);
	peek_all(data, size, PEER_GUEST);
	peek_all(data, size, PEER_CLIENT);
	return 0;
}

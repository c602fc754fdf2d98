/* rpc.h - messages of CRIU's RPC (its rpc.proto, in protobuf), as many as one dump or restore takes; pure, within this room
 * only
 */
#ifndef CRIU_RPC_H
#define CRIU_RPC_H

#include "base/buf.h"
#include "criu/criu.h"

enum criu_message { CRIU_DUMP = 1, CRIU_RESTORE, CRIU_NOTIFY = 6 }; /* criu_req_type */

/* What criu says: that something is over (DUMP, RESTORE), or that it waits for our answer (NOTIFY). */
struct criu_response {
	int type;
	bool success;
	pid_t pid; /* of the process that is restored */
	char script[32]; /* what a NOTIFY is about; "" otherwise, or when it is longer */
};

/* What the command line of c says, as a request.  work: the directory of the log, our descriptor as are those of c. */
int criu_rpc_add_request(const struct criu *c, int work, struct buf *out, struct err *e);
/* The answer to a NOTIFY: go on. */
void criu_rpc_add_answer(struct buf *out);
/* 0, or -EBADMSG. */
int criu_rpc_parse(const void *data, size_t n, struct criu_response *ret);

#endif

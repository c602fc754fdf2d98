/* seccomp_notify.c - the listener of a filter goes to its agent */
#include "container/seccomp_notify.h"

#include <errno.h>

#include "base/json.h"
#include "oci/runtime.h"
#include "sys/scm.h"

#define AGENT_MS 10000

int seccomp_notify_connect(const char *listener_path, struct err *e)
{
	int fd = scm_connect(listener_path, AGENT_MS);

	return fd < 0 ? err_sys(e, -fd, "linux.seccomp.listenerPath: cannot reach \"%.108s\"", listener_path)
		      : fd;
}

void seccomp_notify_state(pid_t pid, const char *metadata, const char *state, struct buf *ret)
{
	buf_addf(ret, "{\"ociVersion\":\"%s\",\"fds\":[\"seccompFd\"],\"pid\":%d,", OCI_RUNTIME_VERSION,
		 (int)pid);
	if (metadata) {
		buf_adds(ret, "\"metadata\":");
		json_add_str(ret, metadata);
		buf_addc(ret, ',');
	}
	buf_addf(ret, "\"state\":%s}", state);
}

int seccomp_notify_send(int sock, int notify_fd, const struct buf *process_state, struct err *e)
{
	int r = buf_ok(process_state) ? scm_send(sock, notify_fd, process_state->data, process_state->len)
				      : -ENOMEM;

	return r < 0 ? err_sys(e, -r, "linux.seccomp.listenerPath: cannot send the listener") : 0;
}

/* request_system.c - --system: what an init system as process 1 wants, in the words of other flags
 *
 * What is given by a flag of its own goes before it.  systemd: https://systemd.io/CONTAINER_INTERFACE
 */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "engine/request_int.h"

int request_system(struct run_request *rq, struct err *e)
{
	static char init_program[] = "/sbin/init", none[] = "", root[] = "0:0";
	static char halt[] = "SIGRTMIN+3"; /* systemd's word */
	static char stop_timeout[] = "60"; /* its services have their time, too */
	static char *init[] = { init_program, NULL };

	if (!rq->sandbox.system)
		return 0;
	if (rq->init)
		return err_set(e, EINVAL,
			       "--system and --init exclude each other: only one can be process 1");
	if (rq->sandbox.pid && *rq->sandbox.pid && strcmp(rq->sandbox.pid, "private"))
		return err_set(e, EINVAL, "--system and --pid %.60s exclude each other: it must be process 1",
			       rq->sandbox.pid);
	if (!rq->args.n && !rq->entrypoint) {
		rq->args = (struct strv){ init, 1 };
		rq->entrypoint = none;
	}
	if (!rq->stop_signal)
		rq->stop_signal = halt;
	if (!rq->stop_timeout)
		rq->stop_timeout = stop_timeout;
	if (!rq->user)
		rq->user = root;
	rq->tty = true; /* /dev/console, where it tells how it gets on */
	return 0;
}

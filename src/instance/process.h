/* process.h - one process to run: OCI runtime-spec `process`, with the user still as text
 *
 * The same for the instance's main process and for exec, on the host and in a guest.  The user is
 * resolved inside the root it belongs to, by the code that starts it (container/).
 */
#ifndef INSTANCE_PROCESS_H
#define INSTANCE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"

struct rlimit_spec {
	char *type; /* "nofile": the name of RLIMIT_NOFILE as --ulimit takes it */
	uint64_t soft, hard; /* UINT64_MAX: unlimited */
};

struct process {
	struct strv args; /* at least one */
	struct strv env; /* "KEY=VALUE"; HOME is added from the user when missing */
	char *cwd; /* absolute; made if missing; NULL: "/" */
	char *user; /* "name|uid[:group|gid]"; NULL: root */
	struct strv groups; /* additional groups, names or gids */
	struct strv
		caps; /* "CAP_CHOWN"...: bounding, permitted and effective set of uid 0; inheritable and ambient
			     * sets stay empty */
	struct rlimit_spec *rlimits;
	size_t n_rlimits;
	bool no_new_privs;
	bool tty; /* a pseudo-terminal as stdin, stdout, stderr and controlling terminal */
	bool stdin_open; /* else stdin is /dev/null */
	bool seccomp; /* the instance's filter applies */
	struct opt_i64 umask; /* not set: 022 */
	bool hold; /* no program: a process of ours that only waits, so that the files of the instance can be reached */
	int rows, cols; /* first size of the terminal; 0: unknown */
};

extern const struct jtable process_table; /* json_parse, json_print, json_copy, json_done */

#endif

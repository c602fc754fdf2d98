/* request.h - from what the user asked and what the image says to one checked instance_spec; no effects */
#ifndef ENGINE_REQUEST_H
#define ENGINE_REQUEST_H

#include "engine/engine.h"

/* Fills *ret (zeroed) from the request and the image, all but what needs the store: id, name, layers, seccomp
 * digest, guest kernel.  hostname falls back to the first 12 characters of ret->id, which must be set.
 * getenv_fn: where "-e KEY" without a value looks (getenv(3)).  On failure *ret is the caller's to json_done. */
int request_to_spec(const struct run_request *rq, const struct image *im, const struct host_facts *h,
		    struct instance_spec *ret, struct err *e);

/* The seccomp profile that --security-opt asks for: "default", "unconfined" or a path (borrowed from rq). */
int request_seccomp(const struct run_request *rq, const char **ret, struct err *e);

/* --restart: "no|always|unless-stopped|on-failure[:N]"; NULL and "" are "no". */
int request_restart(const char *text, struct restart_policy *ret, struct err *e);
/* --snapshot-every, --snapshot-keep; NULL: as it is in *p. */
int request_snapshots(const char *every, const char *keep, struct snapshot_policy *p, struct err *e);

/* -e entries into `env`: KEY=VALUE sets, KEY takes our own value or, where we have none, unsets. */
int request_env(const struct strv *from, struct strv *env, struct err *e);
/* The files of --env-file, into `env`. */
int request_env_files(const struct strv *files, struct strv *env, struct err *e);
/* All capabilities of this kernel: --privileged. */
int request_all_caps(struct strv *ret, struct err *e);
/* Parses the text of an env file: KEY=VALUE or KEY a line, # comments, into `env`. */
int request_env_file(const char *text, struct strv *env, struct err *e);

/* --expose: "80", "53/udp", "8000-8010"; each port is added to the set as "80/tcp". */
int request_expose(const char *text, struct strv *ret, struct err *e);
/* "SOURCE:TARGET[:OPTIONS]" or "TARGET" -> mount (zeroed before).  The source is a path or a volume. */
int request_volume(const char *text, struct mount_spec *ret, struct err *e);
/* "type=volume,source=NAME,target=PATH,..." -> mount (zeroed before). */
int request_mount(const char *text, struct mount_spec *ret, struct err *e);

#endif

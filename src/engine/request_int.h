/* request_int.h - the parts of request.c that have files of their own */
#ifndef ENGINE_REQUEST_INT_H
#define ENGINE_REQUEST_INT_H

#include "engine/engine.h"

/* In front of the image's environment, with HOSTNAME and, on a terminal, TERM. */
#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define DEFAULT_TERM "TERM=xterm"

/* request_caps.c: --cap-add, --cap-drop, --privileged -> names of capabilities. */
int request_caps(const struct run_request *rq, struct strv *ret, struct err *e);
/* request_limits.c: what is given changes *res, the rest of it stays; checked against the host and as a whole. */
int request_limits(const struct limits_request *rq, const struct host_facts *h, struct resources *res,
		   struct err *e);
/* request_health.c: the image's check with what is given of --health-*; *c is zeroed before. */
int request_health(const struct health_request *rq, const struct image_run_config *image,
		   struct image_healthcheck *c, struct err *e);
/* request_log.c: --log-driver and --log-opt. */
int request_log(const char *driver, const struct strv *options, struct log_spec *l, struct err *e);
/* request_life.c: restart policy, stop signal and time-out, pid file -> spec. */
int request_life(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		 struct err *e);
/* The capabilities that --cap-add names, as bits. */
int request_caps_added(const struct run_request *rq, uint64_t *ret);
/* request_storage.c: --storage-opt. */
int request_storage(const struct strv *opts, uint64_t *ret_bytes, struct err *e);
/* request_mounts.c: -v, --mount, --tmpfs and the image's VOLUMEs -> spec.mounts; those that are in it already are of
 * other instances, and give way. */
int request_mounts(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		   struct err *e);
/* request_env.c */
int request_environment(const struct run_request *rq, const struct image_run_config *c,
			struct instance_spec *s, struct err *e);
int request_labels(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		   struct err *e);
/* request_protection.c: --security-opt, --cap-*, --privileged, --userns. */
int request_protection(const struct run_request *rq, struct instance_spec *s, struct err *e);
/* request_namespaces.c: --ipc ... --userns, --cgroup-parent.  First of all: it may set the host name. */
int request_namespaces(const struct run_request *rq, struct instance_spec *s, struct err *e);
/* The IDs of --userns auto. */
#define USERNS_AUTO_IDS 65536U
/* request_sandbox.c: kernel settings, /etc, time zone. */
int request_sandbox(const struct run_request *rq, const struct host_facts *h, struct instance_spec *s,
		    struct err *e);
/* request_system.c: --system changes what the request does not say; static texts, not to be freed. */
int request_system(struct run_request *rq, struct err *e);
/* request_network.c: --network and its like; names are resolved by net_resolve. */
int request_network(const struct run_request *rq, const struct image_run_config *c, struct instance_spec *s,
		    struct err *e);
/* One network, as `network connect` names it. */
int request_attachment(const char *network, const struct net_request *rq, struct net_attachment *ret,
		       struct err *e);
/* request_egress.c: --egress. */
int request_egress(const struct strv *words, struct net_spec *n, struct err *e);
/* request_rules.c: --allow, --deny, --net-rate, --net-burst. */
int request_rules(const struct net_request *rq, struct instance_spec *s, struct err *e);
int request_rate(const struct strv *rates, uint64_t burst, struct net_rate *ret, struct err *e);
#define PUBLISHED_MAX 4096 /* ports of one instance; each has a socket */
/* request_ports.c: -p, -P, --expose and the image's EXPOSE. */
int request_ports(const struct net_request *rq, const struct image_run_config *c, struct net_spec *n,
		  struct err *e);
/* request_devices.c: --device, --device-cgroup-rule; what a device is now. */
int request_device_look(struct device_spec *d, struct err *e);
int request_devices(const struct sandbox_request *rq, struct sandbox *b, struct err *e);

#endif

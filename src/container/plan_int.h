/* plan_int.h - the planner's pieces */
#ifndef CONTAINER_PLAN_INT_H
#define CONTAINER_PLAN_INT_H

#include "container/oci.h"
#include "instance/host.h"
#include "instance/plan.h"
#include "instance/spec.h"

struct planner {
	const struct instance_spec *spec;
	const struct oci_request *oci; /* instead of spec */
	const struct host_facts *facts;
	const char *place; /* of the steps that are added now, or NULL */
	struct plan *plan;
	struct err *e;
	int r; /* the first failure; after it nothing is added */
};

int container_plan(const struct instance_spec *s, const struct host_facts *h, struct plan *ret,
		   struct err *e);
void plan_step(struct planner *pl, const struct step_op *op, const char *what, const char *from,
	       const char *data, uint64_t flags);
/* Takes data; NULL means that memory was out. */
void plan_step_take(struct planner *pl, const struct step_op *op, const char *what, char *data,
		    uint64_t flags);

/* An error of the spec at pl->place. */
void plan_refuse(struct planner *pl, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* plan_cgroups.c: making them and their limits; showing them inside */
void plan_cgroups(struct planner *pl);
void plan_system_cgroup(struct planner *pl);
void plan_cgroup_mounts(struct planner *pl, uint64_t flags);
/* plan.c: does it get a namespace of its own? */
bool plan_own_network(const struct planner *pl);
bool plan_own_users(const struct planner *pl);
/* plan_namespaces.c */
void plan_users(struct planner *pl);
void plan_namespaces(struct planner *pl);
/* plan_system.c: /proc, /sys, /dev, kernel settings, and what of them is hidden */
void plan_kernel(struct planner *pl);
void plan_masks(struct planner *pl);
int plan_check_sysctls(const struct instance_spec *s, struct err *e);
/* plan_etc.c: the files of /etc that are ours */
void plan_etc(struct planner *pl);
/* The lines that a port makes of /etc/hosts, and of /etc/resolv.conf. */
void plan_etc_hosts(struct buf *b, const struct instance_spec *s, const struct net_port *p);
void plan_etc_server(struct buf *b, const struct instance_spec *s, const struct net_port *p);
/* plan_mounts.c: binds, volumes and tmpfs of the user; the source of one */
void plan_user_mounts(struct planner *pl);
void plan_source(struct planner *pl, const struct mount_spec *m, const char *from);

/* namespaces.c: those of an OCI config */
void plan_oci_namespaces(struct planner *pl, const struct oci_linux *l);
/* oci_plan_mounts.c: `mounts`; `cgroups` as cgroup_plan_oci gives it */
void plan_oci_sources(struct planner *pl);
void plan_oci_mounts(struct planner *pl, const struct strv *cgroups);
/* The mounts that become read-only only when all is in place. */
void plan_oci_seals(struct planner *pl);
/* oci_plan_devices.c: linux.devices, the default devices and links of /dev */
void plan_oci_devices(struct planner *pl);
/* What is at /dev: a file system of the container's own, the root's directory, or a bind. */
enum dev_kind { DEV_OWN, DEV_OF_ROOT, DEV_OF_HOST };
enum dev_kind plan_oci_dev(const struct planner *pl);
/* oci_plan.c: the propagation that copies of the host's mounts begin with; NULL: they stay shared */
const char *plan_oci_propagation(const struct planner *pl);
/* Has the container a user namespace other than the runtime's? */
bool plan_oci_own_users(const struct planner *pl);

#endif

/* host.h - what this host can do, as far as plans depend on it; gathered once by the engine (engine/facts.c) */
#ifndef INSTANCE_HOST_H
#define INSTANCE_HOST_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"

enum cgroup_mode { CGROUP_NONE, CGROUP_V1, CGROUP_HYBRID, CGROUP_V2, CGROUP_MODE_N };

extern const char *const cgroup_mode_names[];

struct host_facts {
	int cgroup_mode; /* enum cgroup_mode */
	struct strv
		cgroups; /* "memory=/sys/fs/cgroup/memory": controller and where it is mounted (v1, hybrid); v2:
			       * one "unified=/sys/fs/cgroup" and "memory=", "cpu=", "pids=" with the same path for what
			       * cgroup.controllers of the root names */
	struct strv
		own_cgroups; /* "memory=/sys/fs/cgroup/memory/a": where this process is (cgroup_detect_all only) */
	char *cgroup2; /* where cgroup v2 is mounted, also beside v1, where no instance but --system is in it; NULL: nowhere */
	int cpus; /* online */
	char *cpu_list, *node_list; /* CPUs and memory nodes that are online: "0-3"; NULL: unknown */
	uint64_t ram_bytes;
	char *kernel_release; /* uname -r */
	char *arch; /* OCI's name: "amd64" */
	bool kvm; /* a stock kernel starts under /dev/kvm (probed by running a guest) */
	char *kvm_reason; /* why not, a sentence; NULL when usable */
	char *qemu; /* path of qemu-system-*; NULL: missing */
	char *vmm; /* path of ketch-vmm; NULL: missing */
	char *virtiofsd; /* path; NULL: missing */
	bool selinux; /* it is enabled */
	bool project_quota; /* the file system of the store holds projects to limits */
	bool in_guest; /* this "host" is a guest of Ketch: the plan is made for inside the VM */
};

extern const struct jtable host_facts_table;

#endif

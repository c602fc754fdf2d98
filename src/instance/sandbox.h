/* sandbox.h - how the inside of one instance differs from the usual: namespaces, IDs, devices, what /proc shows
 *
 * Part of the spec; all zero is the usual.  A back end that cannot give a difference refuses it by the flag that asks for
 * it.
 */
#ifndef INSTANCE_SANDBOX_H
#define INSTANCE_SANDBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"
#include "oci/runtime.h"

/* Whose namespace of a kind it is in. */
enum ns_mode {
	NS_PRIVATE, /* its own */
	NS_HOST,
	NS_CONTAINER, /* that of another instance */
	NS_SHAREABLE, /* IPC: its own, others may join */
	NS_NONE, /* IPC: its own, without /dev/shm */
	NS_MODE_N
};
extern const char *const ns_mode_names[]; /* "private", "host", "container", "shareable", "none", NULL */

struct ns_spec {
	int mode; /* enum ns_mode */
	char *of; /* NS_CONTAINER: id of the other instance */
};

#define SANDBOX_MAPS_MAX 340 /* lines that the kernel takes (user_namespaces(7)) */

struct id_maps {
	struct oci_id_mapping *v;
	size_t n;
};

struct device_spec {
	char *source; /* absolute path on the host */
	char *target; /* absolute path inside */
	char *access; /* of "rwm" */
	/* what the source was when it was last looked at: when it was asked for, and at every start */
	char *type; /* "c" or "b" */
	int64_t major, minor;
	uint32_t mode, uid, gid;
};

#define DEFAULT_SHM_BYTES (64 << 20)

#define HOST_GATEWAY "host-gateway" /* the host, as it is reached from the instance's first network */

struct sandbox {
	struct ns_spec ipc, pid, uts, cgroup;
	struct id_maps uid_maps, gid_maps; /* with userns: which IDs; empty: those of /etc/subuid */
	bool auto_ids; /* they were chosen so that no other instance has them */
	char *cgroup_parent; /* "/a/b", below the root of each hierarchy; NULL: /ketch */
	struct strv sysctls; /* "net.core.somaxconn=1024" */
	uint64_t shm_bytes; /* of /dev/shm; 0: DEFAULT_SHM_BYTES */
	struct strv
		hosts; /* "ADDRESS\tNAME": further lines of /etc/hosts; HOST_GATEWAY in the place of an address */
	bool no_hosts; /* /etc/hosts stays the image's */
	char *domainname;
	char *timezone; /* as asked for */
	char *localtime; /* the file /etc/localtime in hexadecimal digits; NULL: the image's */
	struct device_spec *devices;
	size_t n_devices;
	struct strv device_rules; /* "c 10:200 rwm": further devices that may be opened */
	bool unmask_all;
	struct strv masks, unmasks; /* paths that are hidden besides; that are not */
	char *proc_options; /* of the procfs: "hidepid=2" */
	char *apparmor; /* profile */
	bool system; /* its process 1 is an init system: a cgroup tree of its own, to write in */
};

extern const struct jtable sandbox_table;

/* Does it share the namespace with the host or with another instance? */
bool ns_is_shared(const struct ns_spec *ns);

/* The flag of the first difference that only the host's own kernel can make, as "--pid"; NULL: there is none. */
const char *sandbox_needs_host(const struct sandbox *b);

#endif

/* inspect_int.h - what is printed about an instance: filled by inspect_fill.c, printed by the tables of inspect_view.c */
#ifndef CLI_INSPECT_INT_H
#define CLI_INSPECT_INT_H

#include "cli/inspect.h"

#define N_NAMESPACES 4 /* in the order of host_fields */

struct view_mount {
	const char *type, *name, *source, *destination, *driver, *mode;
	bool rw;
	const char *propagation;
};

/* The name is the key. */
struct view_network {
	char *name, *id, *endpoint, *address, *gateway, *address6, *gateway6, *mac;
	int bits, bits6;
	struct strv aliases;
};

struct view_check {
	const char *start, *end;
	int exit_code;
	const char *output;
};

/* Strings are borrowed from `in` or from `owned`. */
struct view {
	struct instance_size size; /* of inspect -s */
	struct instance in; /* borrowed */
	const char *created, *started, *finished, *stop_signal;
	const char *path; /* the first argument, ... */
	struct strv args; /* ... and the others, borrowed */
	struct strv entrypoint, cmd; /* both as the image or the user has them, borrowed */
	bool running, paused, restarting;
	bool never; /* what Docker says of its own ways, and is never so here */
	const char *platform, *driver, *log_path;
	struct strv driver_data;
	uint64_t nano_cpus, shm_bytes;
	int64_t memory_swap;
	const char *seccomp, *userns, *namespaces[N_NAMESPACES];
	struct strv security, binds, tmpfs, storage, log_options;
	struct view_mount *mounts;
	struct view_check checks[HEALTH_RESULTS], *first_check;
	size_t n_checks;
	bool is_checked; /* else Health and Healthcheck are null */
	struct strv volume_paths; /* on the host */
	struct view_network network, *networks;
	size_t n_networks;
	char *anonymous; /* JSON: where volumes without a name are, of the image and of -v */
	char *network_mode, *ports, *port_bindings, *exposed; /* the latter three are JSON */
	struct strv owned;
};

/* All that is not in v->in, which is set.  -ENOMEM. */
int view_fill(struct view *v, struct cli *c);
void view_done(struct view *v);
/* inspect_network.c */
int view_fill_network(struct view *v);
void view_network_done(struct view *v);
extern const struct jtable view_network_settings_table;

#endif

/* boot.h - what the engine hands to ketch-monitor: the spec, the host's facts and open descriptors
 *
 * The engine opens every path; the monitor inherits descriptors and knows them by name:
 *
 *	client      socket to the command that starts the instance: its first connection (wire/msg.h)
 *	dir         the instance's directory below the store root (O_RDONLY): log, exit.json
 *	program     the monitor's own program, on a read-only mount; kept open, used by nobody
 *	events      the directory of the store's journal (events/journal.h)
 *	lock        its lock file: an open-file-description write lock, held while anything of it runs
 *	run         its directory below the run root: state.json, monitor.sock
 *	run-root    the directory that holds `run` under the instance's id
 *	layer/0...  directories of the image's layers, lowest first (container)
 *	sealed/0...  what the instance wrote and no longer writes, on top of those, lowest first (container: directories;
 *		    vm: disk images, the first as disk.ext4, others qcow2)
 *	upper work  directories of the writable layer (container)
 *	mount/0...  the source of spec.mounts[i], where it has one (O_PATH)
 *	ns/KIND     a namespace of another container (container); ns/mnt: where its /dev/shm is
 *	names/NETWORK   the name service of this network says here how its start went (read_ready of base/io.h): before the
 *		    main process begins
 *	network     whoever starts the instance says here that rules and names are there, "ok" or why not: before the main
 *		    process begins (container)
 *	port/tcp/127.0.0.1:8080   a socket that holds a published port on the host; nobody reads it
 *	relay6      ends the relay of ports that are published on [::1] (network/relay6.h) when it is closed
 *	relay6/tcp/::1:8080   that of one which was published later
 *	processes   the directory of images of which its processes are made, where it does not start (container;
 *		    container/checkpoint.h)
 *	seccomp     the compiled filter: an array of struct sock_filter
 *	root        the image as one read-only EROFS file (vm)
 *	disk        the writable layer: a sparse ext4 image (vm), or qcow2 on top of sealed ones
 *	tap/0...    the wire of spec.net.attachments[i], and behind them that of spec.net.spare (vm; sys/tap.h)
 *	kernel initramfs   (vm)
 *	state ram/0...  a machine that goes on from where it was saved does not boot (vm; engine/machine_memory.h)
 */
#ifndef INSTANCE_BOOT_H
#define INSTANCE_BOOT_H

#include "instance/host.h"
#include "instance/spec.h"

struct boot_fd {
	char *name;
	int fd; /* as inherited; all are close-on-exec once the monitor has taken them over */
};

struct boot {
	struct instance_spec spec;
	struct host_facts facts;
	struct boot_fd *fds;
	size_t n_fds;
	int64_t snapshot_in_ns; /* when the first snapshot of its policy is due */
	int restarts, backoff_ms; /* by its policy, so far: struct instance_state */
	bool files_only; /* no main process: it is started for GET and PUT, and ends with its first client */
	bool blank; /* no main process: its machine boots to have its memory saved, and ends with its first client */
	char *restored; /* the id of the snapshot from which `state` is; or NULL */
	char *root, *run_root; /* paths of the store and the live state, for the reaper command only */
	char *ketch; /* path of the ketch program */
};

extern const struct jtable boot_table;

/* The descriptor of this name, or -ENOENT. */
int boot_fd(const struct boot *b, const char *name);
/* boot_fd of "PREFIX/INDEX". */
int boot_fd_n(const struct boot *b, const char *prefix, size_t index);
/* Adds a descriptor (borrowed).  0 or -ENOMEM. */
int boot_add_fd(struct boot *b, const char *name, int fd);
/* Closes the one of this name and forgets it, where there is one. */
void boot_drop_fd(struct boot *b, const char *name);

#endif

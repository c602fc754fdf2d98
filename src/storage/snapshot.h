/* snapshot.h - what is known of a snapshot: a row of ROOT/ketch.db, which makes it whole (docs/design/012)
 *
 * Files first, durable, then the row.  What no row names is nobody's, and goes with the next removal.
 *
 *	ROOT/instances/ID/                  the first layer of an instance: upper/, disk.ext4 or disk.qcow2
 *	ROOT/writable/LAYER/                every other one
 *	ROOT/instances/ID/snapshots/SNAP/   what else a snapshot holds: memory, devices
 *	ROOT/volumes/NAME/snapshots/SNAP/   the data of a volume (engine/volume_snapshot.h)
 */
#ifndef STORAGE_SNAPSHOT_H
#define STORAGE_SNAPSHOT_H

#include <stdbool.h>
#include <stdint.h>

#include "base/json.h"
#include "base/strv.h"
#include "db/db.h"

/* RAM and devices of a virtual machine, or the processes of a container; whose files they are: the part that took them. */
struct snapshot_memory {
	char *format; /* of the saved state, with its version; NULL: the snapshot holds none */
	char *based_on; /* the snapshot whose RAM this one's is a difference of; NULL: it is whole */
	char *program; /* what wrote it, where no other program may read it; else NULL */
	char *host; /* the processor and the kernel with whose KVM it ran, where it fits no other; else NULL */
	uint64_t tsc_khz; /* its time stamp counter, where it must go on as fast; else 0 */
	uint64_t ram_bytes, file_bytes;
	int64_t pause_ns; /* how long the guest stood still */
};

struct snapshot {
	char *id; /* 32 hex digits */
	char *name;
	char *instance; /* id */
	char *parent; /* the snapshot that the instance had gone on from; NULL: none */
	char *layer; /* the uppermost layer of its files; NULL: nothing was ever written, it is the image */
	char *description;
	char *image_id;
	int64_t created_ns, expires_ns; /* expires: 0 never */
	bool automatic; /* made by a policy, which may remove it again */
	bool live; /* taken while it ran */
	char *spec; /* the instance's, as JSON: what a rollback brings back */
	struct strv volumes; /* names of those that are in it */
	struct snapshot_memory memory;
};

extern const struct jtable snapshot_table; /* what is in the column `doc` */

void snapshot_done(struct snapshot *s);
void snapshots_free(struct snapshot *s, size_t n);

/* As a part of INSTANCE@NAME: as names of instances. */
int snapshot_name_check(const char *name, struct err *e);
/* -EEXIST: the instance has one of this name. */
int snapshot_record_add(struct db *db, const struct snapshot *s, struct err *e);
/* By name, or id; -ENOENT. */
int snapshot_record_find(struct db *db, const char *instance, const char *name, struct snapshot *ret,
			 struct err *e);
/* Oldest first. */
int snapshot_record_list(struct db *db, const char *instance, struct snapshot **ret, size_t *ret_n,
			 struct err *e);
/* Those that went on from it go on from its parent. */
int snapshot_record_remove(struct db *db, const struct snapshot *s, struct err *e);
int snapshot_record_rename(struct db *db, const struct snapshot *s, const char *name, struct err *e);
/* Is there a snapshot of an instance that was made from this image? */
int snapshot_record_image_in_use(struct db *db, const char *image_id, bool *ret, struct err *e);

#endif

/* packed.h - the memory of a machine in an image, as `ketch push --memory` writes it down (docs/design/012); pure
 *
 * The document is the member IMAGE_MEMORY_KEY of the config of the image, whose digest is the image's id: so that covers
 * each byte of the memory.  It says what the memory fits, so that nothing is fetched where it does not; how the machine was
 * configured; and by which chunks its disk, the state of its devices and its RAM are found.
 *
 * It is foreign: what packed_parse takes is bounded and whole.  Whether it can be had on this host is the engine's
 * affair (engine/packed.h).
 */
#ifndef INSTANCE_PACKED_H
#define INSTANCE_PACKED_H

#include "instance/spec.h"
#include "oci/chunk.h"

#define PACKED_VERSION 1

struct packed {
	int version;
	/* as struct snapshot_memory has them (storage/snapshot.h) */
	char *format, *program, *host;
	uint64_t tsc_khz;
	char *processor; /* sys/cpu_id.h */
	char *kernel; /* digest of the guest's kernel, which spec names by its version */
	struct strv
		verities; /* fs-verity digests of the disks that the image is: its layers, or one for all */
	struct instance_spec spec;
	struct chunked chunked;
};
extern const struct jtable packed_table;

void packed_done(struct packed *p);
/* Also of a text with a newer version, which is refused by that.  *ret by packed_done. */
int packed_parse(const char *text, size_t n, struct packed *ret, struct err *e);

#endif

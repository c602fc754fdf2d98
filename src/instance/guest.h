/* guest.h - what ketch-guest is told before anything runs in its VM: the payload of MSG_CONFIG
 *
 * The image is the virtio block device with serial "root" (EROFS), or, where spec.vm.layer_disks says so, those with
 * serials "layer0", "layer1" ..., its layers from the lowest on; the writable layer the one with serial "disk"
 * (ext4), both found by /sys/block/NAME/serial.  The source of spec.mounts[i], where it has one, is the virtio-fs
 * with tag "mountI"; of a mount that is a file, it is the file GUEST_SHARED_FILE in it.
 */
#ifndef INSTANCE_GUEST_H
#define INSTANCE_GUEST_H

#include "instance/spec.h"

#define GUEST_PORT	 "ketch.agent" /* name of the virtio-serial port that carries wire/msg.h */
#define GUEST_VSOCK_PORT 1024 /* of the host, where there is no such port */
#define GUEST_AGENT_ENV                                                                                      \
	"KETCH_AGENT" /* "vsock": which of the two it is; a word of the kernel's command line */
#define GUEST_ROOT	  "root"
#define GUEST_LAYERS_MAX  8 /* of spec.vm.layer_disks: each costs a place on the bus and time at boot */
#define GUEST_DISK	  "disk"
#define GUEST_SHARED_FILE "file"

struct guest_config {
	struct instance_spec spec;
	char *seccomp; /* the compiled filter in hexadecimal digits; NULL: none */
};

extern const struct jtable guest_config_table;

/* Parses and checks a config. */
int guest_config_parse(const char *text, size_t n, struct guest_config *ret, struct err *e);
/* The filter's bytes, *ret_n of them; NULL when out of memory or when they are no whole instructions. */
void *guest_config_filter(const struct guest_config *c, size_t *ret_n);
/* "mountI" in ret. */
#define GUEST_TAG_MAX 32
void guest_share_tag(size_t i, char ret[GUEST_TAG_MAX]);
/* "layerI" in ret. */
void guest_layer_serial(size_t i, char ret[GUEST_TAG_MAX]);

#endif

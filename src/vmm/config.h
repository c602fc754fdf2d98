/* config.h - the command line of ketch-vmm: numbers of inherited descriptors, never paths
 *
 *	ketch-vmm --kvm 3 --memory 512m --vcpus 2 --kernel 4 --cmdline "..." --block fd=5,serial=root,ro ...
 */
#ifndef VMM_CONFIG_H
#define VMM_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/strv.h"
#include "opts/opts.h"

#define CONFIG_MAX_DEVICES 28 /* of those that can be given several times, together */
#define CONFIG_MAX_VSOCKS  16
#define CONFIG_MAX_RAMS	   8 /* files that RAM is restored from */
#define CONFIG_MAX_BELOW   200 /* images that disks stand on */
#define CONFIG_MAX_FDS                                                                                       \
	(CONFIG_MAX_DEVICES + CONFIG_MAX_VSOCKS + CONFIG_MAX_RAMS + CONFIG_MAX_BELOW +                       \
	 8) /* and those that there is one of */

/* As given; -1: not given. */
struct vmm_config {
	uint64_t memory_bytes;
	int64_t vcpus;
	bool hugepages, unjailed, unsealed;
	int64_t kvm_fd, kernel_fd, initramfs_fd, control_fd, serial_fd, console_fd;
	int64_t state_fd; /* restored instead of booted */
	int64_t uid;
	char *cmdline;
	struct strv blocks, below, nets, shares, vsocks, rams;
};

/* One --block, --below, --net, --share or --vsock, its words taken apart. */
struct device_config {
	int fd;
	bool read_only;
	char *name; /* serial, tag; owned */
	uint32_t port; /* vsock */
	uint8_t mac[6];
	uint64_t bytes_per_s, ops_per_s; /* 0: no limit */
};

extern const struct opt vmm_options[];

/* Parses argv (without the program).  0; OPTS_HELP; or -errno: *ret is the caller's to vmm_config_done after each. */
int vmm_config_parse(char *const *argv, struct vmm_config *ret, struct err *e);
void vmm_config_done(struct vmm_config *c);
/* "fd=5,serial=root,ro,bps=100m,iops=1000" (block), "fd=6,mac=02:...,bps=" (net), "fd=7,tag=mount0" (share),
 * "fd=8,port=1024" (vsock). */
int vmm_device_parse(const char *text, struct device_config *ret, struct err *e);
void vmm_device_done(struct device_config *d);

#endif

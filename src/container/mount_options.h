/* mount_options.h - the options of an OCI mount (config.md#linux-mount-options): what is the mount's, what the file
 * system's; pure */
#ifndef CONTAINER_MOUNT_OPTIONS_H
#define CONTAINER_MOUNT_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define MAX_PROPAGATIONS 4

struct propagation {
	uint64_t type; /* MS_PRIVATE, MS_SLAVE, MS_SHARED, MS_UNBINDABLE */
	bool deep;
};

enum idmap { IDMAP_NONE, IDMAP_TOP, IDMAP_DEEP };

struct mount_options {
	uint64_t set, clear; /* MOUNT_ATTR_* of the mount */
	uint64_t deep_set, deep_clear; /* and of all below it too */
	unsigned long super; /* MS_* of the file system itself */
	struct propagation propagations[MAX_PROPAGATIONS]; /* in order */
	size_t n_propagations;
	bool bind, deep_bind; /* deep: with what is mounted below */
	bool remount;
	bool copy_up; /* a tmpfs begins with what the root has in its place */
	int idmap; /* enum idmap */
	char *data; /* what is the file system's own, "size=64k,mode=755"; owned, never NULL */
};

/* Parses "ro,nosuid,size=64k" (a comma in double quotes or behind a backslash belongs to the option); a later option
 * wins over an earlier one.  0, -ENOMEM, or -E2BIG: too many propagations. */
int mount_options_parse(const char *text, struct mount_options *ret);
void mount_options_done(struct mount_options *o);
/* The names of all options but those of file systems: the i-th, or NULL. */
const char *mount_option_name(size_t i);
/* The propagation of this name ("rslave"); -EINVAL. */
int propagation_parse(const char *name, struct propagation *ret);

#endif

/* detect.h - which cgroup hierarchies this host has and where */
#ifndef CGROUP_DETECT_H
#define CGROUP_DETECT_H

#include "instance/host.h"

/* Fills cgroup_mode and cgroups of this host; both stay zero where it does not tell. */
void cgroup_detect(struct host_facts *h);
/* The same for what joins every hierarchy (ketch-oci): also own_cgroups, "unified" of a hybrid host with the controllers
 * that are in it, and "systemd", the named v1 hierarchy. */
void cgroup_detect_all(struct host_facts *h);
/* From the text of mountinfo, and of /proc/self/cgroup (NULL: as cgroup_detect).  is_mounted says whether a path shows that
 * file system (a mount may be hidden under another). */
int cgroup_detect_text(const char *mountinfo, const char *own,
		       bool (*is_mounted)(const char *path, const char *fs_type), struct host_facts *h);
/* is_mounted as the kernel says it. */
bool cgroup_is_mounted(const char *path, const char *fs_type);

#endif

/* detect.h - which cgroup hierarchies this host has and where */
#ifndef CGROUP_DETECT_H
#define CGROUP_DETECT_H

#include "instance/host.h"

/* Fills cgroup_mode and cgroups of this host; both stay zero where it does not tell. */
void cgroup_detect(struct host_facts *h);
/* Fills cgroup_mode and cgroups from the text of mountinfo.  is_mounted says whether a path shows that file system
 * (a mount may be hidden under another). */
int cgroup_detect_text(const char *mountinfo, bool (*is_mounted)(const char *path, const char *fs_type),
		       struct host_facts *h);
/* is_mounted as the kernel says it. */
bool cgroup_is_mounted(const char *path, const char *fs_type);

#endif

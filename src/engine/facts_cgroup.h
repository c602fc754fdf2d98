/* facts_cgroup.h - which cgroup hierarchies this host has and where */
#ifndef ENGINE_FACTS_CGROUP_H
#define ENGINE_FACTS_CGROUP_H

#include "instance/host.h"

/* Fills cgroup_mode and cgroups from the text of mountinfo.  is_mounted says whether a path shows that file system
 * (a mount may be hidden under another). */
int facts_cgroup(const char *mountinfo, bool (*is_mounted)(const char *path, const char *fs_type),
		 struct host_facts *h);
/* is_mounted as the kernel says it. */
bool facts_cgroup_is_mounted(const char *path, const char *fs_type);

#endif

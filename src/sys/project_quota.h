/* project_quota.h - files of a project, and how much they may take of their file system (quotactl(2), ext4 and xfs)
 *
 * A project is a number that a file bears.  What is made in a directory that hands its own on bears it, too.  Descriptors
 * are of something on the file system that is meant; errors are -errno.
 */
#ifndef SYS_PROJECT_QUOTA_H
#define SYS_PROJECT_QUOTA_H

#include <stdbool.h>
#include <stdint.h>

/* Does the file system hold projects to their limits?  No: it has no such quotas, or only counts. */
bool project_quota_enforced(int fd);

/* The project that a file bears; 0: none. */
int project_get(int fd, uint32_t *ret);
/* `handed_on`: what will be made in this directory bears it, too. */
int project_set(int fd, uint32_t project, bool handed_on);

struct project_use {
	uint64_t bytes, files; /* now */
	uint64_t limit_bytes; /* 0: none */
};

int project_quota_get(int fd, uint32_t project, struct project_use *ret);
/* 0 bytes: no limit. */
int project_quota_limit(int fd, uint32_t project, uint64_t bytes);

#endif

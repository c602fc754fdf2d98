/* mountinfo.h - lines of /proc/PID/mountinfo (proc_pid_mountinfo(5)) -> struct; pure */
#ifndef SYS_MOUNTINFO_H
#define SYS_MOUNTINFO_H

#include "base/strv.h"

struct mount_line {
	char *root, *mount_point; /* unescaped */
	char *fs_type;
	char *super_options; /* "rw,memory" */
};

/* Parses one line without its newline.  0, -EINVAL (not such a line), -ENOMEM. */
int mount_line_parse(const char *line, struct mount_line *ret);
void mount_line_done(struct mount_line *m);
/* Is `option` one of the comma-separated super options? */
int mount_line_has_option(const struct mount_line *m, const char *option);

#endif

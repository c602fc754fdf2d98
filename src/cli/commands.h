/* commands.h - the rows of the command table, each defined beside its code */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command cmd_run, cmd_launch, cmd_exec, cmd_shell; /* run.c, exec.c */
extern const struct command cmd_cp; /* cp.c */
extern const struct command cmd_ps, cmd_logs, cmd_inspect; /* each its file */
extern const struct command cmd_events; /* events.c */
extern const struct command cmd_stop, cmd_kill, cmd_wait, cmd_rm; /* stop.c */
extern const struct command cmd_images, cmd_tag, cmd_rmi; /* images.c */
extern const struct command cmd_image_inspect; /* image_inspect.c */
extern const struct command cmd_import, cmd_load; /* import.c */
extern const struct command cmd_kernel_ls, cmd_kernel_import, cmd_kernel_build, cmd_kernel_rm; /* kernel.c */
extern const struct command cmd_doctor, cmd_compare; /* each its file */
extern const struct command cmd_version, cmd_info; /* info.c */
extern const struct command cmd_help, cmd_completion, cmd_man; /* help.c, completion.c, man.c */

/* Appends the JSON object of what has this name; -ENOENT when there is nothing. */
typedef int (*inspect_fn)(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e);
/* Prints the array of the objects for all names; complains about each that fails and returns the status. */
int inspect_each(struct cli *c, const struct strv *names, const char *format, inspect_fn add, struct err *e);
int image_inspect_add(struct cli *c, const char *name, int json_flags, struct buf *out, struct err *e);

#endif

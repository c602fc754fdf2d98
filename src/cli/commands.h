/* commands.h - the rows of the command table, each defined beside its code */
#ifndef CLI_COMMANDS_H
#define CLI_COMMANDS_H

#include "cli/cli.h"

extern const struct command cmd_run, cmd_launch, cmd_create, cmd_exec, cmd_shell; /* run.c, exec.c */
extern const struct command cmd_commit, cmd_cp, cmd_diff, cmd_export; /* each its file */
extern const struct command cmd_explain; /* explain.c */
extern const struct command cmd_ps, cmd_logs, cmd_inspect; /* each its file */
extern const struct command cmd_events, cmd_stats, cmd_top, cmd_update,
	cmd_healthcheck_run; /* each its file */
extern const struct command cmd_images, cmd_tag, cmd_rmi; /* images.c, image_names.c */
extern const struct command cmd_set, cmd_update_image; /* set.c, update_image.c */
extern const struct command cmd_start, cmd_start_locked, cmd_restart, cmd_attach; /* start.c */
extern const struct command cmd_system_start_all, cmd_system_stop_all; /* system.c */
extern const struct command cmd_rename; /* records.c */
extern const struct command cmd_port, cmd_port_add, cmd_port_rm; /* port.c */
extern const struct command cmd_stop, cmd_kill, cmd_pause, cmd_unpause, cmd_wait, cmd_rm; /* stop.c */
extern const struct command cmd_image_inspect; /* image_inspect.c */
extern const struct command cmd_import, cmd_load; /* import.c */
extern const struct command cmd_pull, cmd_push, cmd_search; /* each its file */
extern const struct command cmd_login, cmd_logout; /* login.c */
extern const struct command cmd_kernel_ls, cmd_kernel_import, cmd_kernel_build, cmd_kernel_rm; /* kernel.c */
extern const struct command cmd_volume_create, cmd_volume_ls, cmd_volume_inspect,
	cmd_volume_rm; /* volume.c */
extern const struct command cmd_network_create, cmd_network_rm, cmd_network_connect, cmd_network_disconnect,
	cmd_network_release; /* network.c */
extern const struct command cmd_network_ls, cmd_network_prune; /* network_list.c */
extern const struct command cmd_network_inspect; /* network_inspect.c */
extern const struct command cmd_container_prune, cmd_image_prune, cmd_volume_prune,
	cmd_system_prune; /* prune.c */
extern const struct command cmd_volume_export, cmd_volume_import; /* volume_files.c */
extern const struct command cmd_volume_snapshot_create, cmd_volume_snapshot_ls, cmd_volume_snapshot_rm,
	cmd_volume_snapshot_inspect, cmd_volume_snapshot_diff, cmd_volume_snapshot_rename,
	cmd_volume_rollback, cmd_volume_clone; /* volume_snapshot.c */
extern const struct command cmd_snapshot_create, cmd_snapshot_ls, cmd_snapshot_inspect, cmd_snapshot_rm,
	cmd_snapshot_rename, cmd_snapshot_due; /* snapshot.c */
extern const struct command cmd_snapshot_diff; /* snapshot_diff.c */
extern const struct command cmd_rollback, cmd_clone; /* rollback.c */
extern const struct command cmd_fork; /* fork.c */
extern const struct command cmd_template_create, cmd_template_inspect, cmd_template_ls,
	cmd_template_rm; /* template.c */
extern const struct command cmd_save, cmd_history; /* save.c, history.c */
extern const struct command cmd_image_packages; /* image_packages.c */
extern const struct command cmd_image_verify; /* image_verify.c */
extern const struct command cmd_system_df; /* system_df.c */
extern const struct command cmd_doctor, cmd_compare; /* each its file */
extern const struct command cmd_profile_create, cmd_profile_ls, cmd_profile_show,
	cmd_profile_rm; /* profiles.c */
extern const struct command cmd_resolve, cmd_egress; /* resolve.c */
extern const struct command cmd_version, cmd_info; /* info.c */
extern const struct command cmd_help, cmd_completion, cmd_man; /* help.c, completion.c, man.c */

/* top_live.c: the table of all instances, until a key ends it. */
int top_live(struct cli *c, struct err *e);
#endif

/* commands.c - the table of commands, their groups and their other names */
#include "cli/commands.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "opts/suggest.h"

static const struct command *const instance_commands[] = {
	&cmd_run,
	&cmd_launch,
	&cmd_create,
	&cmd_explain,
	&cmd_start,
	&cmd_exec,
	&cmd_shell,
	&cmd_attach,
	&cmd_cp,
	&cmd_diff,
	&cmd_export,
	&cmd_ps,
	&cmd_logs,
	&cmd_events,
	&cmd_stats,
	&cmd_top,
	&cmd_update,
	&cmd_update_image,
	&cmd_set,
	&cmd_healthcheck_run,
	&cmd_inspect,
	&cmd_port,
	&cmd_port_add,
	&cmd_port_rm,
	&cmd_rename,
	&cmd_pause,
	&cmd_unpause,
	&cmd_restart,
	&cmd_stop,
	&cmd_kill,
	&cmd_wait,
	&cmd_rm,
	&cmd_container_prune,
	&cmd_resolve,
	&cmd_egress,
	NULL,
};

static const struct command *const image_commands[] = {
	&cmd_images,	   &cmd_image_inspect, &cmd_pull,   &cmd_push,	  &cmd_login,
	&cmd_logout,	   &cmd_search,	       &cmd_import, &cmd_load,	  &cmd_save,
	&cmd_commit,	   &cmd_tag,	       &cmd_rmi,    &cmd_history, &cmd_image_packages,
	&cmd_image_verify, &cmd_image_prune,   NULL,
};

static const struct command *const volume_commands[] = {
	&cmd_volume_create,	     &cmd_volume_ls,
	&cmd_volume_inspect,	     &cmd_volume_rm,
	&cmd_volume_prune,	     &cmd_volume_export,
	&cmd_volume_import,	     &cmd_volume_snapshot_create,
	&cmd_volume_snapshot_ls,     &cmd_volume_snapshot_inspect,
	&cmd_volume_snapshot_diff,   &cmd_volume_snapshot_rm,
	&cmd_volume_snapshot_rename, &cmd_volume_rollback,
	&cmd_volume_clone,	     NULL,
};

static const struct command *const template_commands[] = { &cmd_template_create, &cmd_template_ls,
							   &cmd_template_inspect, &cmd_template_rm, NULL };

static const struct command *const snapshot_commands[] = {
	&cmd_snapshot_create,
	&cmd_snapshot_ls,
	&cmd_snapshot_inspect,
	&cmd_snapshot_rm,
	&cmd_snapshot_rename,
	&cmd_snapshot_diff,
	&cmd_rollback,
	&cmd_clone,
	&cmd_fork,
	NULL,
};

static const struct command *const network_commands[] = {
	&cmd_network_create,  &cmd_network_ls,	       &cmd_network_inspect, &cmd_network_rm,
	&cmd_network_connect, &cmd_network_disconnect, &cmd_network_prune,   NULL,
};

static const struct command *const profile_commands[] = {
	&cmd_profile_create, &cmd_profile_ls, &cmd_profile_show, &cmd_profile_rm, NULL,
};

static const struct command *const host_commands[] = {
	&cmd_system_df,
	&cmd_system_prune,
	&cmd_system_start_all,
	&cmd_system_stop_all,
	&cmd_doctor,
	&cmd_compare,
	&cmd_kernel_ls,
	&cmd_kernel_import,
	&cmd_kernel_build,
	&cmd_kernel_rm,
	&cmd_info,
	&cmd_version,
	&cmd_help,
	&cmd_completion,
	NULL,
};

static const struct command *const hidden_commands[] = { &cmd_man, &cmd_start_locked, &cmd_snapshot_due,
							 &cmd_network_release, NULL };

const struct section sections[] = {
	{ "Instances", instance_commands },
	{ "Images", image_commands },
	{ "Volumes", volume_commands },
	{ "Snapshots", snapshot_commands },
	{ "Templates", template_commands },
	{ "Networks", network_commands },
	{ "Profiles", profile_commands },
	{ "Host", host_commands },
	{ NULL, NULL },
};

const struct group groups[] = {
	{ "container", "Manage instances: the commands that also stand alone" },
	{ "image", "Manage images" },
	{ "healthcheck", "See whether instances are well" },
	{ "system", "The store and the host as a whole" },
	{ "volume", "Manage directories that outlive instances" },
	{ "volume snapshot", "Manage kept states of volumes" },
	{ "snapshot", "Manage kept states of instances" },
	{ "template", "Manage virtual machines that others go on from" },
	{ "network", "Manage the segments that instances share" },
	{ "kernel", "Manage the kernels that virtual machines boot" },
	{ "profile", "Manage stored sets of flags for run" },
	{ NULL, NULL },
};

const struct alias aliases[] = {
	{ "prune", "container prune" },
	{ "resume", "unpause" },
	{ "ls", "ps" },
	{ "list", "ps" },
	{ "delete", "rm" },
	{ "container run", "run" },
	{ "container create", "create" },
	{ "container start", "start" },
	{ "container restart", "restart" },
	{ "container pause", "pause" },
	{ "container unpause", "unpause" },
	{ "container attach", "attach" },
	{ "container rename", "rename" },
	{ "container port", "port" },
	{ "container exec", "exec" },
	{ "container commit", "commit" },
	{ "container cp", "cp" },
	{ "container diff", "diff" },
	{ "container export", "export" },
	{ "container ls", "ps" },
	{ "container list", "ps" },
	{ "container ps", "ps" },
	{ "container logs", "logs" },
	{ "container inspect", "inspect" },
	{ "container stop", "stop" },
	{ "container kill", "kill" },
	{ "container wait", "wait" },
	{ "container stats", "stats" },
	{ "container top", "top" },
	{ "container update", "update" },
	{ "container set", "set" },
	{ "system events", "events" },
	{ "container rm", "rm" },
	{ "container remove", "rm" },
	{ "image ls", "images" },
	{ "image list", "images" },
	{ "image pull", "pull" },
	{ "image push", "push" },
	{ "image search", "search" },
	{ "image import", "import" },
	{ "image load", "load" },
	{ "image save", "save" },
	{ "image history", "history" },
	{ "image tag", "tag" },
	{ "image rm", "rmi" },
	{ "image remove", "rmi" },
	{ "volume list", "volume ls" },
	{ "volume remove", "volume rm" },
	{ "volume snapshot-list", "volume snapshot-ls" },
	{ "volume snapshot-remove", "volume snapshot-rm" },
	{ "snapshot list", "snapshot ls" },
	{ "template list", "template ls" },
	{ "template remove", "template rm" },
	{ "snapshot remove", "snapshot rm" },
	{ "snapshot delete", "snapshot rm" },
	{ "snapshot show", "snapshot inspect" },
	{ "snapshot restore", "rollback" },
	{ "copy", "clone" },
	{ "network list", "network ls" },
	{ "network remove", "network rm" },
	{ "kernel list", "kernel ls" },
	{ "kernel remove", "kernel rm" },
	{ "system info", "info" },
	{ "profile list", "profile ls" },
	{ "profile inspect", "profile show" },
	{ "profile remove", "profile rm" },
	{ NULL, NULL },
};

static const struct command *find_in(const struct command *const *list, const char *name)
{
	for (; *list; list++)
		if (!strcmp((*list)->name, name))
			return *list;
	return NULL;
}

const struct command *command_by_name(const char *name)
{
	const struct command *cmd = find_in(hidden_commands, name);

	for (const struct section *s = sections; s->title && !cmd; s++)
		cmd = find_in(s->commands, name);
	for (const struct alias *a = aliases; a->name && !cmd; a++)
		if (!strcmp(a->name, name))
			cmd = command_by_name(a->command);
	return cmd;
}

static bool is_group(const char *word)
{
	for (const struct group *g = groups; g->name; g++)
		if (!strcmp(g->name, word))
			return true;
	return false;
}

/* "secret" refuses "secret ls", too. */
static const struct refusal *find_refusal(const char *name)
{
	for (const struct refusal *r = refusals; r->name; r++) {
		size_t n = strlen(r->name);

		if (!strncmp(r->name, name, n) && (!name[n] || name[n] == ' '))
			return r;
	}
	return NULL;
}

static int unknown(const char *name, struct err *e)
{
	const struct refusal *r = find_refusal(name);
	struct suggest s = { .want = name };

	if (r)
		return err_set(e, ENOTSUP, "ketch %s: %s", r->name, r->why);
	for (const struct section *sec = sections; sec->title; sec++)
		for (const struct command *const *c = sec->commands; *c; c++)
			suggest_try(&s, (*c)->name);
	for (const struct alias *a = aliases; a->name; a++)
		suggest_try(&s, a->name);
	for (const struct group *g = groups; g->name; g++)
		suggest_try(&s, g->name);
	if (s.best)
		return err_set(e, ENOENT, "unknown command: %.80s (did you mean %s?)", name, s.best);
	return err_set(e, ENOENT, "unknown command: %.80s (\"ketch --help\" lists them)", name);
}

static bool is_help(const char *word)
{
	return !word || !strcmp(word, "--help") || !strcmp(word, "-h");
}

/* "volume snapshot ls" is "volume snapshot-ls"; words: behind the group's name. */
static int find_in_subgroup(const char *group, char *const *words, const struct command **ret,
			    size_t *ret_used, struct err *e)
{
	autofree char *name = NULL, *said = NULL;

	*ret = NULL;
	*ret_used = 2;
	if (is_help(words[0]))
		return 0;
	name = str_printf("%s-%s", group, words[0]);
	said = str_printf("%s %s", group, words[0]);
	if (!name || !said)
		return err_set(e, ENOMEM, "out of memory");
	*ret = command_by_name(name);
	*ret_used = 3;
	return *ret ? 0 : unknown(said, e);
}

int command_find(char *const *words, const struct command **ret, size_t *ret_used, struct err *e)
{
	autofree char *both = words[1] ? str_printf("%s %s", words[0], words[1]) : NULL;
	bool in_group = is_group(words[0]);

	if (words[1] && !both)
		return err_set(e, ENOMEM, "out of memory");
	*ret = both ? command_by_name(both) : NULL; /* "port" stands alone, "port add" is another */
	*ret_used = 2;
	if (*ret)
		return 0;
	if (both && is_group(both))
		return find_in_subgroup(both, words + 2, ret, ret_used, e);
	*ret_used = 1;
	if (in_group)
		return is_help(words[1]) ? 0 : unknown(both, e);
	*ret = command_by_name(words[0]);
	return *ret ? 0 : unknown(words[0], e);
}

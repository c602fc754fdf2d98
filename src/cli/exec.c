/* exec.c - ketch exec, ketch shell: a further process in a running instance */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/attach.h"
#include "cli/commands.h"
#include "cli/exec.h"
#include "engine/request.h"
#include "sys/terminal.h"
#include "wire/msg.h"

#define EXEC_STREAM 1

struct exec_args {
	bool detach, interactive, privileged, tty;
	char *user, *workdir, *detach_keys;
	struct strv env, env_files;
};

static const struct opt exec_opts[] = {
	OPT(FLAG, 'd', "detach", struct exec_args, detach, NULL, "Leave it running in the background"),
	OPT(STR, 0, "detach-keys", struct exec_args, detach_keys, "KEYS",
	    "Keys that leave it running (default " DETACH_KEYS_DEFAULT ")"),
	OPT(LIST, 'e', "env", struct exec_args, env, "NAME[=VALUE]",
	    "Set an environment variable, or pass on our own"),
	OPT(LIST, 0, "env-file", struct exec_args, env_files, "FILE",
	    "Read environment variables from a file"),
	OPT(FLAG, 'i', "interactive", struct exec_args, interactive, NULL, "Keep stdin open"),
	OPT(FLAG, 0, "privileged", struct exec_args, privileged, NULL, "Give it all capabilities"),
	OPT(FLAG, 't', "tty", struct exec_args, tty, NULL, "Give it a terminal"),
	OPT(STR, 'u', "user", struct exec_args, user, "[USER][:GROUP]",
	    "User it runs as, or its number; :GROUP: root with that one"),
	OPT(STR, 'w', "workdir", struct exec_args, workdir, "PATH", "Working directory inside"),
	{ 0 },
};

static void process_done(struct process *p)
{
	json_done(&process_table, p);
}

static void replace(char **slot, char **with)
{
	if (!*with)
		return;
	free(*slot);
	*slot = take_ptr(*with);
}

/* The instance's own process, changed as asked.  words: name and command. */
static int make_process(const struct instance *in, struct exec_args *a, const struct strv *words,
			struct process *p, struct err *e)
{
	int r = engine_exec_process(in, p, e);

	for (size_t i = 1; i < words->n && r == 0; i++)
		if (strv_add(&p->args, words->v[i]) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	if (r == 0)
		r = request_env_files(&a->env_files, &p->env, e);
	if (r == 0)
		r = request_env(&a->env, &p->env, e);
	if (r == 0 && a->privileged) {
		strv_done(&p->caps);
		r = request_all_caps(&p->caps, e);
	}
	if (r < 0)
		return r;
	replace(&p->user, &a->user);
	replace(&p->cwd, &a->workdir);
	p->tty = a->tty;
	p->stdin_open = a->interactive;
	if (p->tty && !terminal_size(STDIN_FILENO, &p->rows, &p->cols))
		terminal_size(STDOUT_FILENO, &p->rows, &p->cols);
	return 0;
}

static int print_process(const struct process *p, struct buf *json, struct err *e)
{
	if (json_print(&process_table, p, 0, json) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (json->len > MSG_MAX_JSON)
		return err_set(e, E2BIG, "arguments and environment are too long");
	return 0;
}

static int exec_in(struct engine *en, const struct instance *in, struct exec_args *a,
		   const struct strv *words, struct err *e)
{
	AUTO(process_done) struct process p = { 0 };
	AUTO(buf_done) struct buf json = { 0 };
	struct attach how = {
		.stream = EXEC_STREAM,
		.start = &json,
		.start_type = MSG_START,
		.interactive = a->interactive,
		.tty = a->tty,
		.detach = a->detach,
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
	};
	int fd = -1, r = detach_keys_parse(a->detach_keys, &how.keys, e);

	if (r == 0)
		r = make_process(in, a, words, &p, e);
	if (r == 0)
		r = print_process(&p, &json, e);
	if (r == 0)
		r = engine_connect(en, in, &fd, e);
	return r < 0 ? r : attach_run(fd, &how);
}

int cli_exec(struct engine *en, const struct instance *in, const struct strv *command, struct err *e)
{
	AUTO(strv_done) struct strv words = { 0 };
	struct exec_args none = { 0 };
	int r = strv_add(&words, in->spec.name);

	for (size_t i = 0; i < command->n && r == 0; i++)
		r = strv_add(&words, command->v[i]);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : exec_in(en, in, &none, &words, e);
}

static int exec_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	struct exec_args *a = args;
	struct engine *en;
	int r;

	if (a->interactive && a->tty && !a->detach && !isatty(STDIN_FILENO))
		return err_set(e, ENOTTY, NOT_A_TTY);
	en = cli_engine(c, e);
	r = en ? engine_find(en, words->v[0], &in, e) : -e->no;
	return r < 0 ? r : exec_in(en, &in, a, words, e);
}

const struct command cmd_exec = {
	.name = "exec",
	.usage = "NAME COMMAND [ARG...]",
	.summary = "Run a further command in a running instance",
	.text = "The command gets the environment, capabilities and limits of the instance, whichever its "
		"isolation. The exit status is that of the command; 126 when it cannot be executed, 127 "
		"when it was not found, 128+n when signal n ended it.\n\n"
		"Signals go to the command.  Where the instance is paused or does not answer within five "
		"seconds, SIGTERM, SIGINT, SIGHUP and SIGQUIT end ketch alone; a second one does so at once.",
	.opts = exec_opts,
	.args_size = sizeof(struct exec_args),
	.min_words = 2,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.grammar = OPTS_FIRST,
	.run = exec_run,
};

static int shell_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	if (words->n == 1 && strv_add(words, "sh") < 0)
		return err_set(e, ENOMEM, "out of memory");
	return exec_run(c, args, words, e);
}

static const struct exec_args shell_defaults = { .interactive = true, .tty = true };
const struct command cmd_shell = {
	.name = "shell",
	.usage = "NAME [COMMAND] [ARG...]",
	.summary = "Open a shell in a running instance: exec -it NAME sh",
	.opts = exec_opts,
	.args_size = sizeof(struct exec_args),
	.defaults = &shell_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.grammar = OPTS_FIRST,
	.run = shell_run,
};

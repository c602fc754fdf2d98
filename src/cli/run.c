/* run.c - ketch run, ketch launch: a new instance from an image */
#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/log.h"
#include "cli/attach.h"
#include "cli/commands.h"
#include "sys/terminal.h"

#define PIDS_NOT_GIVEN INT64_MAX

struct run_args {
	struct run_request rq;
	char *isolation;
	int64_t pids_limit;
	bool detach, vm, dry_run;
};

#define RUN_OPT(type, letter, name, member, metavar, help)                                                   \
	OPT(type, letter, name, struct run_args, member, metavar, help)

static const struct opt run_opts[] = {
	RUN_OPT(LIST, 0, "cap-add", rq.cap_add, "CAP", "Add a capability, or ALL"),
	RUN_OPT(LIST, 0, "cap-drop", rq.cap_drop, "CAP", "Drop a capability, or ALL"),
	RUN_OPT(MILLI, 0, "cpus", rq.cpu_milli, "NUMBER", "How many CPUs it may use, such as 1.5"),
	RUN_OPT(FLAG, 'd', "detach", detach, NULL, "Run in the background and print the id"),
	RUN_OPT(CHOICE, 0, "driver", rq.driver, "kvm|qemu",
		"Hypervisor of a virtual machine; kvm, our own, where it can"),
	RUN_OPT(FLAG, 0, "dry-run", dry_run, NULL, "Print the steps that would be done, and do nothing"),
	RUN_OPT(STR, 0, "entrypoint", rq.entrypoint, "COMMAND", "Replace the image's entry point"),
	RUN_OPT(LIST, 'e', "env", rq.env, "NAME[=VALUE]", "Set an environment variable, or pass on our own"),
	RUN_OPT(LIST, 0, "env-file", rq.env_files, "FILE", "Read environment variables from a file"),
	RUN_OPT(STR, 'h', "hostname", rq.hostname, "NAME", "Host name inside"),
	RUN_OPT(FLAG, 0, "init", rq.init, NULL, "Run a small init that reaps and forwards signals"),
	RUN_OPT(FLAG, 'i', "interactive", rq.interactive, NULL, "Keep stdin open"),
	RUN_OPT(CHOICE, 0, "isolation", isolation, "container|vm", "The wall around it"),
	RUN_OPT(STR, 0, "kernel", rq.kernel, "VERSION",
		"Guest kernel of a virtual machine (see ketch kernel ls)"),
	RUN_OPT(LIST, 'l', "label", rq.labels, "KEY[=VALUE]", "Note something about it"),
	RUN_OPT(BYTES, 'm', "memory", rq.memory_bytes, "BYTES", "Memory limit, such as 512m"),
	RUN_OPT(STR, 0, "name", rq.name, "NAME", "Name of the instance"),
	RUN_OPT(CHOICE, 0, "network", rq.network, "none|host", "Network; host: containers only"),
	RUN_OPT(INT, 0, "pids-limit", pids_limit, "NUMBER", "Limit of processes and threads; -1: none"),
	RUN_OPT(FLAG, 0, "privileged", rq.privileged, NULL, "Give all capabilities and devices"),
	RUN_OPT(FLAG, 0, "read-only", rq.read_only, NULL, "Make the root file system read-only"),
	RUN_OPT(FLAG, 0, "rm", rq.auto_remove, NULL, "Remove it once it has ended"),
	RUN_OPT(LIST, 0, "security-opt", rq.security_opt, "OPTION",
		"seccomp=FILE, seccomp=unconfined or no-new-privileges"),
	RUN_OPT(STR, 0, "stop-signal", rq.stop_signal, "SIGNAL", "Signal that asks it to stop"),
	RUN_OPT(LIST, 0, "tmpfs", rq.tmpfs, "PATH[:OPTIONS]", "Mount an empty file system in memory"),
	RUN_OPT(FLAG, 't', "tty", rq.tty, NULL, "Give it a terminal"),
	RUN_OPT(LIST, 0, "ulimit", rq.ulimits, "NAME=SOFT[:HARD]",
		"Set a resource limit, such as nofile=1024"),
	RUN_OPT(STR, 'u', "user", rq.user, "USER[:GROUP]", "User it runs as, by name or number"),
	RUN_OPT(FLAG, 0, "userns", rq.userns, NULL, "Give it a user namespace of its own"),
	RUN_OPT(FLAG, 0, "vm", vm, NULL, "Run it as a virtual machine: --isolation=vm"),
	RUN_OPT(LIST, 'v', "volume", rq.volumes, "SOURCE:PATH[:ro]", "Mount a directory or file of the host"),
	RUN_OPT(STR, 'w', "workdir", rq.workdir, "PATH", "Working directory inside"),
	{ 0 },
};

static int take_isolation(struct run_args *a, struct err *e)
{
	bool vm = a->vm;

	if (a->isolation) {
		vm = !strcmp(a->isolation, isolation_names[ISOLATION_VM]);
		if (a->vm && !vm)
			return err_set(e, EINVAL, "--vm and --isolation=container contradict each other");
	}
	a->rq.isolation = vm ? ISOLATION_VM : ISOLATION_CONTAINER;
	return 0;
}

/* The words behind the options become image and arguments. */
static void take_words(struct run_request *rq, struct strv *words)
{
	rq->image = words->v[0];
	memmove(words->v, words->v + 1, words->n * sizeof(*words->v)); /* with the NULL */
	words->n--;
	rq->args = *words;
	*words = (struct strv){ 0 };
}

static int fill_request(struct run_args *a, struct strv *words, struct err *e)
{
	int r = take_isolation(a, e);

	if (r < 0)
		return r;
	if (a->pids_limit != PIDS_NOT_GIVEN)
		a->rq.pids_limit = a->pids_limit > 0 ? a->pids_limit : -1; /* Docker: 0 and less are none */
	if (a->rq.tty && !terminal_size(STDIN_FILENO, &a->rq.rows, &a->rq.cols))
		terminal_size(STDOUT_FILENO, &a->rq.rows, &a->rq.cols);
	take_words(&a->rq, words);
	return 0;
}

static int print_plan(struct engine *en, const struct run_request *rq, struct err *e)
{
	AUTO(plan_done) struct plan plan = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	int r = engine_plan(en, rq, &plan, e);

	if (r < 0)
		return r;
	plan_print(&plan, &out);
	return cli_print(&out, e);
}

/* --rm of what we saw end; that it is gone already is fine. */
static void remove_ended(struct engine *en, const struct instance_spec *spec)
{
	struct instance in = { .spec = *spec, .state.status = STATUS_EXITED };
	struct err e = { 0 };
	int r = engine_remove(en, &in, true, &e);

	if (r < 0 && r != -ENOENT)
		log_warn("%s", e.msg);
}

static int start_and_attach(struct engine *en, const struct run_args *a, const struct instance_spec *spec,
			    struct err *e)
{
	const struct attach how = {
		.interactive = a->rq.interactive,
		.tty = a->rq.tty,
		.detach = a->detach,
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
	};
	int fd = -1, status = engine_start(en, spec, &fd, e);

	if (status == 0)
		status = attach_run(fd, &how);
	/* the monitor removes a detached one itself once it has started */
	if (a->rq.auto_remove && (!a->detach || status != 0))
		remove_ended(en, spec);
	return status;
}

static void spec_done(struct instance_spec *spec)
{
	json_done(&instance_spec_table, spec);
}

static int run_new(struct engine *en, const struct run_args *a, struct err *e)
{
	AUTO(spec_done) struct instance_spec spec = { 0 };
	int r = engine_create(en, &a->rq, &spec, e);

	if (r < 0)
		return r;
	r = start_and_attach(en, a, &spec, e);
	if (r == 0 && a->detach) {
		AUTO(buf_done) struct buf out = { 0 };

		buf_addf(&out, "%s\n", spec.id);
		r = cli_print(&out, e);
	}
	return r;
}

static int check_terminal(const struct run_args *a, struct err *e)
{
	if (!a->rq.interactive || !a->rq.tty || a->detach || a->dry_run || isatty(STDIN_FILENO))
		return 0;
	return err_set(e, ENOTTY, NOT_A_TTY);
}

static int run_request(struct cli *c, struct run_args *a, struct err *e)
{
	struct engine *en;
	int r = check_terminal(a, e);

	if (r < 0)
		return r;
	en = cli_engine(c, e);
	if (!en)
		return -e->no;
	return a->dry_run ? print_plan(en, &a->rq, e) : run_new(en, a, e);
}

static int run_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	struct run_args *a = args;
	int r = fill_request(a, words, e);

	if (r == 0)
		r = run_request(c, a, e);
	strv_done(&a->rq.args);
	free(a->rq.image);
	return r;
}

#define RUN_USAGE "IMAGE [COMMAND] [ARG...]"

static const struct run_args run_defaults = { .pids_limit = PIDS_NOT_GIVEN };
const struct command cmd_run = {
	.name = "run",
	.usage = RUN_USAGE,
	.summary = "Make an instance from an image and run a command in it",
	.text = "The instance is a container, or with --vm a virtual machine; everything else is the same "
		"for both. "
		"What stands behind the image is the command with its arguments; without one the image's own "
		"command runs.\n\n"
		"The exit status is that of the command; 125 when Ketch itself failed, 126 when the command "
		"cannot be "
		"executed, 127 when it was not found, 128+n when signal n ended it.",
	.opts = run_opts,
	.args_size = sizeof(struct run_args),
	.defaults = &run_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.grammar = OPTS_FIRST,
	.failure = STATUS_USAGE,
	.run = run_run,
};

static const struct run_args launch_defaults = { .pids_limit = PIDS_NOT_GIVEN, .detach = true };
const struct command cmd_launch = {
	.name = "launch",
	.usage = RUN_USAGE,
	.summary = "Run an instance in the background: run --detach",
	.opts = run_opts,
	.args_size = sizeof(struct run_args),
	.defaults = &launch_defaults,
	.min_words = 1,
	.max_words = WORDS_ANY,
	.words = WORDS_IMAGE,
	.grammar = OPTS_FIRST,
	.failure = STATUS_USAGE,
	.run = run_run,
};

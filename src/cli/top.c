/* top.c - ketch top: the processes of an instance; without a name, all instances live */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/commands.h"
#include "cli/processes.h"
#include "engine/ask.h"

static int print_processes(struct engine *en, const struct instance *in, const struct strv *columns,
			   struct err *e)
{
	AUTO(process_list_done) struct process_list list = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	const struct processes_context context = {
		.now_ns = clock_real_ns(),
		.memory_bytes = in->spec.isolation == ISOLATION_VM ? in->spec.vm.ram_bytes
								   : engine_facts(en)->ram_bytes,
	};
	int r = engine_ask_top(en, in, &list, e);

	if (r < 0)
		return r;
	if (processes_print(&list, columns, &context, &out) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return cli_print(&out, e);
}

static int top_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(strv_done) struct strv columns = { 0 };
	const struct strv options = { words->v + 1, words->n ? words->n - 1 : 0 };
	struct engine *en;
	int r;

	if (!words->n)
		return top_live(c, e);
	r = processes_columns(&options, &columns, e);
	if (r < 0)
		return r;
	en = cli_engine(c, e);
	r = en ? engine_find(en, words->v[0], &in, e) : -e->no;
	return r < 0 ? r : print_processes(en, &in, &columns, e);
}

const struct command cmd_top = {
	.name = "top",
	.usage = "[NAME [PS-OPTIONS]]",
	.summary = "List the processes of an instance, or watch all instances",
	.text = "With a name, the processes inside as ps -ef lists them; numbers are the host's for a "
		"container, the guest's for a virtual machine.  Of the options of ps, -ef, aux and -o "
		"LIST are known, with the columns user, uid, pid, ppid, c, pcpu, pmem, vsz, rss, stat, "
		"nlwp, stime, tty, time, etime, args and comm.\n\n"
		"Without a name, a table of all running instances on the terminal, renewed each second: "
		"c, m and n sort it by CPU, memory or name, q ends it.",
	.opts = no_opts,
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.grammar = OPTS_FIRST,
	.run = top_run,
};

/* news.c - what a monitor tells the journal: start, signals, further processes, the end */
#include "monitor/news.h"

#include <stdio.h>

#include "base/auto.h"
#include "events/journal.h"
#include "instance/news.h"

void news_init(struct news *n, const struct boot *b)
{
	*n = (struct news){ .dir = b->files_only ? -1 : boot_fd(b, "events"), .spec = &b->spec };
}

/* Of each volume that it mounts; Docker's attributes. */
static void tell_volumes(const struct news *n, bool mounted)
{
	autofree char *container = str_printf("container=%s", n->spec->id);

	for (size_t i = 0; i < n->spec->n_mounts && n->dir >= 0 && container; i++) {
		const struct mount_spec *m = &n->spec->mounts[i];
		autofree char *destination = str_printf("destination=%s", m->target);
		/* of an unmount the first two */
		const char *const attributes[] = { "driver=local", container, mounted ? destination : NULL,
						   m->read_only ? "read/write=false" : "read/write=true",
						   NULL };

		if (m->type == MOUNT_VOLUME && destination)
			journal_append(n->dir, &(const struct event_news){
						       .type = "volume",
						       .action = mounted ? "mount" : "unmount",
						       .id = m->source,
						       .more = attributes,
					       });
	}
}

void news_started(const struct news *n)
{
	tell_volumes(n, true);
	instance_tell(n->dir, n->spec, "start", NULL);
}

void news_paused(const struct news *n, bool paused)
{
	instance_tell(n->dir, n->spec, paused ? "pause" : "unpause", NULL);
}

void news_signal(const struct news *n, int signo)
{
	instance_tell_one(n->dir, n->spec, "kill", "signal", "%d", signo);
}

static void process_done(struct process *p)
{
	json_done(&process_table, p);
}

/* "exec_create: ls -l /" */
static void tell_exec_start(const struct news *n, uint32_t id, const struct msg *m)
{
	static const char *const actions[] = { "exec_create", "exec_start" };
	AUTO(process_done) struct process p = { 0 };
	AUTO(buf_done) struct buf words = { 0 };

	if (json_parse(&process_table, m->data, m->len, 0, &p, NULL) < 0)
		return; /* the back end will say so */
	for (size_t i = 0; i < p.args.n; i++)
		buf_addf(&words, " %s", p.args.v[i]);
	for (size_t i = 0; i < ARRAY_LEN(actions); i++) {
		autofree char *action = str_printf("%s:%s", actions[i], words.data ? words.data : "");

		if (action)
			instance_tell_one(n->dir, n->spec, action, "execID", "%u", id);
	}
}

void news_exec(const struct news *n, uint32_t id, const struct msg *m)
{
	char exec_id[32], code[32];

	if (n->dir < 0)
		return;
	if (m->type == MSG_START) {
		tell_exec_start(n, id, m);
		return;
	}
	snprintf(exec_id, sizeof(exec_id), "execID=%u", id);
	snprintf(code, sizeof(code), "exitCode=%u", msg_u32(m, 0));
	if (m->type == MSG_EXIT && (msg_u32(m, 1) & 1))
		instance_tell(n->dir, n->spec, "oom", (const char *const[]){ exec_id, NULL });
	instance_tell(n->dir, n->spec, "exec_die", (const char *const[]){ exec_id, code, NULL });
}

void news_ended(const struct news *n, const struct instance_state *st)
{
	if (st->oom_killed)
		instance_tell(n->dir, n->spec, "oom", NULL);
	instance_tell_one(n->dir, n->spec, "die", "exitCode", "%d", st->exit_code);
	if (st->started_ns)
		tell_volumes(n, false);
	if (n->stopped)
		instance_tell(n->dir, n->spec, "stop", NULL);
}

/* fuzz_agent.c - bytes of a hostile guest: the agent hears checked messages or cuts it off, and never both */
#include <assert.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "vm/agent.h"

struct talk {
	bool lost, asked;
	struct agent *agent;
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* As a user would: two processes, some input, statistics, files. */
static void on_ready(void *arg)
{
	struct talk *t = arg;

	agent_send(t->agent, &(struct msg){ MSG_START, 0, "{}", 2 });
	agent_send(t->agent, &(struct msg){ MSG_START, 1, "{}", 2 });
	agent_send(t->agent, &(struct msg){ MSG_STDIN, 0, "0123456789", 10 });
	agent_send(t->agent, &(struct msg){ MSG_STATS, 0, NULL, 0 });
	agent_send(t->agent, &(struct msg){ MSG_TOP, 0, NULL, 0 });
	agent_send(t->agent, &(struct msg){ MSG_UPDATE, 0, "{}", 2 });
	agent_send(t->agent, &(struct msg){ MSG_NETWORK, 0, "{}", 2 });
	agent_send(t->agent, &(struct msg){ MSG_GET, 2, "{}", 2 });
	agent_send(t->agent, &(struct msg){ MSG_PUT, 3, "{}", 2 });
	agent_send(t->agent, &(struct msg){ MSG_STDIN, 3, "0123456789", 10 });
	t->asked = agent_silence(t->agent, true) == 0;
}

static void on_message(void *arg, const struct msg *m)
{
	const struct talk *t = arg;

	assert(m->type != MSG_STDOUT || m->stream != 3);
	assert(!t->lost && m->stream <= 3);
	if (m->type == MSG_FAILED || m->type == MSG_ERROR)
		free(msg_text(m));
}

/* Only what was asked for, once. */
static void on_silent(void *arg)
{
	struct talk *t = arg;

	assert(!t->lost && t->asked);
	t->asked = false;
}

static void on_lost(void *arg, const struct err *why)
{
	struct talk *t = arg;

	assert(!t->lost);
	t->lost = true;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct agent_ops ops = { on_ready, on_message, on_silent, on_lost };
	struct buf config = { 0 };
	struct loop *l = loop_new();
	struct talk t = { 0 };
	int pair[2];

	if (size > 65536)
		return 0;
	if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) < 0)
		abort();
	buf_adds(&config, "{}");
	t.agent = agent_new(l, pair[1], &(struct agent_start){ .config = &config }, &ops, &t);
	if (send(pair[0], data, size, MSG_NOSIGNAL) != (ssize_t)size)
		abort();
	shutdown(pair[0], SHUT_WR);
	while (!t.lost && loop_once(l, 0) > 0)
		;
	agent_free(t.agent);
	close(pair[0]);
	loop_free(l);
	buf_done(&config);
	return 0;
}

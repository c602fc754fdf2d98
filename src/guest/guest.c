/* guest.c - PID 1 of a virtual machine: greets the monitor, runs the workload, powers off
 *
 * States: CONFIG -CONFIG / READY-> UP -SHUTDOWN-> STOPPING -(all ended)-> power off.
 *
 * A machine that was restored finds its stream reset: UP -reset-> RESTORED -SEED, CONFIG / READY-> RESTORED -START 0 / STARTED-> UP.
 * Its workload stands still since before it was saved (FILES_HOLD), and goes on at START.  One in which nothing had begun
 * takes over all of the new spec at CONFIG, and is then as one that has just booted: RESTORED -SEED, CONFIG / READY-> UP.
 *
 * A port (QEMU) stays open over a restore, and what was under way in it would be torn: so the host has asked for SILENCE
 * before, and nothing is under way.  The next word after that is the old host's, or a HELLO of another one.
 */
#include "guest/guest.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/reboot.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "container/container.h"
#include "guest/guest_state.h"
#include "guest/network.h"

#define PORT_MS	      60000
#define STOP_S	      5 /* for processes to die of SIGKILL */
#define LAST_WORDS_MS 2000

/* Says it where the kernel says its things; the monitor keeps the end of that. */
void guest_say_on_console(const char *text)
{
	autoclose int fd = open("/dev/console", O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd >= 0)
		dprintf(fd, "ketch-guest: %s\n", text);
}

__attribute__((noreturn)) static void power_off(void)
{
	root_unmake();
	reboot(RB_POWER_OFF);
	_exit(0); /* of PID 1: the kernel panics, and reboots at once (panic=-1) */
}

void guest_send_failed(struct guest *g, uint32_t stream, const char *text)
{
	msg_put_text(conn_out(g->conn), MSG_FAILED, stream, 125, text);
	conn_flush(g->conn);
}

/* --- from the workload to the monitor */

static void on_backend_message(void *arg, const struct msg *m)
{
	struct guest *g = arg;

	msg_put(conn_out(g->conn), m->type, m->stream, m->data, m->len);
	conn_flush(g->conn);
}

static void on_backend_ready(void *arg)
{
	struct guest *g = arg;

	g->state = UP;
	msg_put(conn_out(g->conn), MSG_READY, 0, NULL, 0);
	conn_flush(g->conn);
}

static void on_backend_ended(void *arg, const struct err *why)
{
	struct guest *g = arg;

	container_backend.release(g->running);
	g->running = NULL;
	if (g->state == STOPPING)
		loop_stop(g->loop);
	else if (g->state == CONFIG)
		guest_send_failed(g, 0, why->msg);
}

/* --- from the monitor */

/* A machine that was restored has had one, or none. */
static void drop_filter(struct boot *b)
{
	for (size_t i = 0; i < b->n_fds; i++) {
		if (strcmp(b->fds[i].name, "seccomp") != 0)
			continue;
		close(b->fds[i].fd);
		free(b->fds[i].name);
		b->fds[i] = b->fds[--b->n_fds];
		return;
	}
}

static int add_filter(struct guest *g, struct err *e)
{
	autofree void *bytes = NULL;
	autoclose int fd = -1;
	size_t n;
	int r;

	if (!g->config.seccomp)
		return 0;
	bytes = guest_config_filter(&g->config, &n);
	if (!bytes)
		return err_set(e, EINVAL, "config: malformed seccomp filter");
	fd = memfd_create("seccomp", MFD_CLOEXEC);
	r = fd < 0 ? -errno : write_full(fd, bytes, n);
	if (r == 0)
		r = boot_add_fd(&g->boot, "seccomp", fd);
	if (r < 0)
		return err_sys(e, -r, "seccomp filter");
	take_fd(&fd);
	return 0;
}

static void set_clock(const struct msg *m)
{
	struct timespec ts = { .tv_sec = msg_u32(m, 0), .tv_nsec = msg_u32(m, 1) };

	clock_settime(CLOCK_REALTIME, &ts);
}

static bool needs_shares(const struct instance_spec *s)
{
	for (size_t i = 0; i < s->n_mounts; i++)
		if (s->mounts[i].type != MOUNT_TMPFS)
			return true;
	return false;
}

/* The workload of a root that is there: READY follows. */
static int prepare_workload(struct guest *g, struct err *e)
{
	const struct instance_spec *s = &g->boot.spec;
	int r = container_backend.plan(s, &g->boot.facts, &g->plan, e);

	return r < 0 ? r
		     : container_backend.start(&g->boot, &g->plan, g->loop, &g->events, &g->instance,
					       &g->running, e);
}

/* What the config is about is ours from now on. */
static void take_spec(struct guest *g)
{
	g->boot.spec = g->config.spec;
	g->config.spec = (struct instance_spec){ 0 };
}

static int start_workload(struct guest *g, const struct msg *m, struct err *e)
{
	struct instance_spec *s = &g->boot.spec;
	int r = guest_config_parse(m->data, m->len, &g->config, e);

	if (r < 0)
		return r;
	take_spec(g);
	r = system_facts(&g->boot.facts, e);
	if (r == 0)
		r = add_filter(g, e);
	if (r == 0 && needs_shares(s))
		r = system_load_modules(g->initramfs, "modules.share", e);
	if (r == 0)
		r = network_set_up(g->initramfs, s, e);
	if (r == 0)
		r = root_make(s, &g->boot, e);
	return r < 0 ? r : prepare_workload(g, e);
}

int guest_begin_anew(struct guest *g, struct guest_config *config, struct err *e)
{
	int r = needs_shares(&config->spec)
			? err_set(e, EPROTO, "a machine that was restored cannot be given shares")
			: network_renew(&g->boot.spec, &config->spec, e);

	if (r < 0)
		return r;
	container_backend.release(g->running);
	g->running = NULL;
	plan_done(&g->plan);
	json_done(&instance_state_table, &g->instance);
	json_done(&instance_spec_table, &g->boot.spec);
	json_done(&guest_config_table, &g->config);
	drop_filter(&g->boot);
	g->config = *config;
	*config = (struct guest_config){ 0 };
	take_spec(g);
	r = add_filter(g, e);
	return r < 0 ? r : prepare_workload(g, e);
}

static void on_config(struct guest *g, const struct msg *m)
{
	struct err e = { 0 };

	if (start_workload(g, m, &e) < 0)
		guest_send_failed(g, 0, e.msg);
}

static void on_network(struct guest *g, const struct msg *m)
{
	struct err e = { 0 };
	int r = network_change(&g->boot.spec, g->instance.pid, m->data, m->len, &e);

	msg_put_text(conn_out(g->conn), MSG_NETWORK_REPLY, 0, (uint32_t)-r, e.msg);
	conn_flush(g->conn);
}

static void on_shutdown(struct guest *g)
{
	struct itimerspec t = { .it_value = { .tv_sec = STOP_S } };

	g->state = STOPPING;
	timerfd_settime(g->deadline.fd, 0, &t, NULL);
	if (g->running)
		container_backend.kill(g->running);
	else
		loop_stop(g->loop);
}

static void on_silence(struct guest *g, const struct msg *m)
{
	g->silent = msg_u32(m, 0);
	if (g->silent) {
		msg_put_u32(conn_out(g->conn), MSG_SILENCE, 0, 1);
		conn_flush(g->conn);
	}
	conn_silence(g->conn, g->silent);
}

static void greet(struct guest *g)
{
	msg_put_u32(conn_out(g->conn), MSG_HELLO, 0, MSG_VERSION);
	conn_flush(g->conn);
}

/* Of another host, by the same port. */
static void on_greeting(struct guest *g, const struct msg *m)
{
	if (!g->silent || !g->running || msg_u32(m, 0) != MSG_VERSION) {
		loop_stop(g->loop);
		return;
	}
	g->silent = false;
	conn_forget(g->conn);
	restored_await_identity(g);
	greet(g);
}

static void on_message(void *arg, const struct msg *m)
{
	struct guest *g = arg;

	if (!g->greeted) {
		g->greeted = m->type == MSG_HELLO && msg_u32(m, 0) == MSG_VERSION;
		if (!g->greeted)
			loop_stop(g->loop);
	} else if (m->type == MSG_HELLO) {
		on_greeting(g, m);
	} else if (m->type == MSG_SILENCE) {
		on_silence(g, m);
	} else if (m->type == MSG_CLOCK) {
		set_clock(m);
	} else if (m->type == MSG_CONFIG && g->state == CONFIG && !g->running) {
		on_config(g, m);
	} else if (m->type == MSG_SEED) {
		restored_take_seed(g, m);
	} else if (m->type == MSG_CONFIG && g->state == RESTORED) {
		restored_become(g, m);
	} else if (m->type == MSG_START && !m->stream && g->state == RESTORED && g->running) {
		restored_go_on(g);
	} else if (m->type == MSG_NETWORK) {
		on_network(g, m);
	} else if (m->type == MSG_SHUTDOWN) {
		on_shutdown(g);
	} else if (g->running) {
		container_backend.send(g->running, m);
	} else if (msg_begins_stream(m->type)) {
		guest_send_failed(g, m->stream, "the instance has ended");
	}
}

static int talk(struct guest *g, int port, struct err *e);

/* A stream that was reset may mean that we were restored: then the host waits for us to come back. */
static bool reconnect(struct guest *g)
{
	struct err e = { 0 };
	int port = g->state == UP && g->running ? system_reopen_agent(&e) : -1;

	if (port < 0)
		return false;
	restored_await_identity(g);
	conn_free(g->conn);
	g->greeted = false;
	return talk(g, port, &e) == 0;
}

/* Without the monitor nobody needs this machine. */
static void on_closed(void *arg, const struct err *why)
{
	struct guest *g = arg;

	if (reconnect(g))
		return;
	guest_say_on_console(why->no ? why->msg : "the host has hung up");
	loop_stop(g->loop);
}

static const struct conn_ops conn_ops = { on_message, on_closed, NULL };

static int talk(struct guest *g, int port, struct err *e)
{
	g->conn = conn_new(g->loop, port, PEER_MONITOR, &conn_ops, g);
	if (!g->conn)
		return err_sys(e, errno, "port");
	greet(g);
	return 0;
}

static void on_deadline(void *arg, uint32_t events)
{
	struct guest *g = arg;

	loop_stop(g->loop);
}

/* --- set-up */

static int open_deadline(struct guest *g, struct err *e)
{
	int r, fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return err_sys(e, errno, "timer");
	g->deadline = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_deadline, .arg = g };
	r = loop_add(g->loop, &g->deadline);
	return r < 0 ? err_sys(e, -r, "timer") : 0;
}

static int set_up(struct guest *g, struct err *e)
{
	int port, r = system_set_up(&g->initramfs, e);

	if (r < 0)
		return r;
	g->events = (struct backend_events){ on_backend_message, on_backend_ready, on_backend_ended, g };
	g->loop = loop_new();
	if (!g->loop)
		return err_sys(e, errno, "event loop");
	r = open_deadline(g, e);
	if (r < 0)
		return r;
	port = system_open_agent(g->initramfs, PORT_MS, e);
	if (port < 0)
		return port;
	return talk(g, port, e);
}

int guest_run(void)
{
	struct guest *g = calloc(1, sizeof(*g));
	struct err e = { 0 };

	signal(SIGPIPE, SIG_IGN);
	if (!g || set_up(g, &e) < 0) {
		guest_say_on_console(e.msg);
		power_off();
	}
	loop_run(g->loop);
	conn_drain(g->conn, LAST_WORDS_MS);
	for (size_t i = 0; i < g->boot.n_fds; i++)
		close(g->boot.fds[i].fd);
	power_off();
}

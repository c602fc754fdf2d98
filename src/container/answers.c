/* answers.c - what is asked about the whole instance: statistics and its processes */
#include "container/answers.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "cgroup/ops.h"
#include "instance/process_list.h"
#include "sys/meminfo.h"
#include "sys/process_info.h"

#define PART_MAX                                                                                             \
	(MSG_MAX_DATA - 6 * PROCESS_ARGS_MAX - 1024) /* a row more fits, each character of it escaped */

static int open_proc(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", (int)pid);
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

/* --- statistics */

/* "NAME: VALUE" */
static uint64_t number_behind(const char *text, const char *name)
{
	const char *at = strstr(text, name);
	unsigned long long v;

	return at && sscanf(at + strlen(name), " %llu", &v) == 1 ? v : 0;
}

/* Where no cgroup counts it: of those that live. */
static void sum_process_io(const struct container *c, struct stats *ret)
{
	AUTO(pidv_done) struct pidv pids = { 0 };

	if (cgroup_pids(&c->cgroups.by_controller, &pids) < 0)
		return;
	for (size_t i = 0; i < pids.n; i++) {
		AUTO(buf_done) struct buf b = { 0 };
		autoclose int dir = open_proc(pids.v[i]);

		if (dir < 0 || read_file(dir, "io", 4096, &b) < 0 || !b.data)
			continue;
		ret->read_bytes += number_behind(b.data, "\nread_bytes:");
		ret->written_bytes += number_behind(b.data, "\nwrite_bytes:");
	}
}

static void read_network(const struct container *c, struct stats *ret)
{
	AUTO(buf_done) struct buf b = { 0 };
	autoclose int dir = c->state->pid > 0 ? open_proc(c->state->pid) : -1;

	/* that of the host is not the instance's */
	if (c->boot->spec.network == NETWORK_HOST || dir < 0 || read_file(dir, "net/dev", 65536, &b) < 0)
		return;
	netdev_parse(b.data ? b.data : "", &ret->received_bytes, &ret->sent_bytes);
}

void answer_stats(const struct container *c, struct stats *ret)
{
	if (!cgroup_stats(&c->cgroups, ret))
		sum_process_io(c, ret);
	read_network(c, ret);
	/* the machine is the instance's own only in a VM */
	if (c->boot->facts.in_guest)
		meminfo_read(&ret->machine_bytes, &ret->machine_available_bytes);
}

/* --- processes */

/* The words of a command line, or the name of a program that has none (a zombie, a kernel thread). */
static char *command_line(int dir, const char *comm)
{
	AUTO(buf_done) struct buf b = { 0 };
	int fd = openat(dir, "cmdline", O_RDONLY | O_CLOEXEC);
	char *room = buf_room(&b, PROCESS_ARGS_MAX);
	ssize_t n = fd >= 0 && room ? read_full(fd, room, PROCESS_ARGS_MAX) : 0;

	if (fd >= 0)
		close(fd);
	while (n > 0 && !room[n - 1])
		n--;
	if (n <= 0)
		return str_printf("[%s]", comm);
	for (ssize_t i = 0; i < n; i++)
		if (!room[i])
			room[i] = ' ';
	b.len = (size_t)n;
	room[n] = '\0';
	return buf_take(&b);
}

/* "Uid: real effective saved fs" */
static uint32_t effective_uid(int dir)
{
	AUTO(buf_done) struct buf b = { 0 };
	const char *line;
	unsigned uid;

	if (read_file(dir, "status", 65536, &b) < 0 || !b.data)
		return 0;
	line = strstr(b.data, "\nUid:");
	return line && sscanf(line + 5, "%*u %u", &uid) == 1 ? uid : 0;
}

static int read_row(pid_t pid, struct process_row *ret)
{
	autoclose int dir = open_proc(pid);
	struct process_info p;
	struct timespec up;
	int r = dir < 0 ? -errno : process_info_read(dir, &p);

	if (r < 0)
		return r;
	clock_gettime(CLOCK_BOOTTIME, &up);
	*ret = (struct process_row){
		.pid = pid,
		.ppid = p.ppid,
		.uid = effective_uid(dir),
		.state = strndup(&p.state, 1),
		.tty = p.tty,
		.start_ns = clock_real_ns() - (up.tv_sec * NS_PER_S + up.tv_nsec) +
			    (int64_t)(p.start_ticks * TICK_NS),
		.cpu_ns = p.cpu_ticks * TICK_NS,
		.rss_bytes = p.rss_bytes,
		.vsz_bytes = p.vsz_bytes,
		.threads = p.threads,
		.args = command_line(dir, p.comm),
	};
	return 0;
}

void answer_top(const struct container *c, void (*part)(void *arg, const struct buf *json), void *arg)
{
	AUTO(pidv_done) struct pidv pids = { 0 };
	AUTO(buf_done) struct buf b = { 0 };

	cgroup_pids(&c->cgroups.by_controller, &pids); /* what could be read is told */
	for (size_t i = 0; i < pids.n; i++) {
		struct process_row row;

		if (read_row(pids.v[i], &row) < 0) /* it has just ended */
			continue;
		buf_addc(&b, b.len ? ',' : '[');
		if (json_print(&process_row_table, &row, 0, &b) < 0)
			b.failed = true;
		json_done(&process_row_table, &row);
		if (!buf_ok(&b))
			return;
		if (b.len > PART_MAX) {
			buf_addc(&b, ']');
			part(arg, &b);
			b.len = 0;
		}
	}
	buf_addc(&b, ']');
	if (b.len > 1)
		part(arg, &b);
}

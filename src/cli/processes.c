/* processes.c - the processes of an instance as ps(1) would list them */
#include "cli/processes.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>
#include <time.h>

#include "base/auto.h"
#include "base/clock.h"

#define COLUMNS_MAX 16 /* as a table has */

typedef void cell_fn(const struct process_row *row, const struct processes_context *c, struct buf *b);

static void add_user(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	if (row->uid) /* whose names they are only the image knows */
		buf_addf(b, "%" PRIu32, row->uid);
	else
		buf_adds(b, "root");
}

static void add_uid(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%" PRIu32, row->uid);
}

static void add_pid(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%d", row->pid);
}

static void add_ppid(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%d", row->ppid);
}

/* Percent of one CPU since its start. */
static double cpu_percent(const struct process_row *row, const struct processes_context *c)
{
	int64_t lived = c->now_ns - row->start_ns;

	return lived > 0 ? 100.0 * (double)row->cpu_ns / (double)lived : 0;
}

static void add_c(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	double v = cpu_percent(row, c);

	buf_addf(b, "%d", v > 99 ? 99 : (int)v);
}

static void add_pcpu(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%.1f", cpu_percent(row, c));
}

static void add_pmem(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%.1f", c->memory_bytes ? 100.0 * (double)row->rss_bytes / (double)c->memory_bytes : 0);
}

static void add_vsz(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%" PRIu64, row->vsz_bytes / 1024);
}

static void add_rss(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%" PRIu64, row->rss_bytes / 1024);
}

static void add_stat(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_adds(b, row->state);
}

static void add_threads(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_addf(b, "%" PRIu64, row->threads);
}

/* "14:05" of today, "Nov20" before. */
static void add_start(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	time_t start = row->start_ns / NS_PER_S, now = c->now_ns / NS_PER_S;
	struct tm then, today;
	char text[32];

	localtime_r(&start, &then);
	localtime_r(&now, &today);
	strftime(text, sizeof(text),
		 then.tm_year == today.tm_year && then.tm_yday == today.tm_yday ? "%H:%M" : "%b%d", &then);
	buf_adds(b, text);
}

/* The kernel's numbers of terminals (proc_pid_stat(5)): pseudo-terminals are 136 to 143. */
static void add_tty(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	unsigned nr = (unsigned)row->tty, major = nr >> 8 & 0xfff, minor = (nr & 0xff) | (nr >> 12 & 0xfff00);

	if (!nr)
		buf_adds(b, "?");
	else if (major >= 136 && major <= 143)
		buf_addf(b, "pts/%u", minor + (major - 136) * 256);
	else if (major == 4 && minor < 64)
		buf_addf(b, "tty%u", minor);
	else
		buf_addf(b, "%u,%u", major, minor);
}

static void add_seconds(uint64_t s, struct buf *b)
{
	buf_addf(b, "%02" PRIu64 ":%02" PRIu64 ":%02" PRIu64, s / 3600, s / 60 % 60, s % 60);
}

static void add_time(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	add_seconds(row->cpu_ns / NS_PER_S, b);
}

static void add_elapsed(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	int64_t lived = c->now_ns - row->start_ns;

	add_seconds(lived > 0 ? (uint64_t)(lived / NS_PER_S) : 0, b);
}

static void add_args(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	buf_adds(b, row->args);
}

/* The name of the program: the first word without its directory. */
static void add_comm(const struct process_row *row, const struct processes_context *c, struct buf *b)
{
	size_t n = strcspn(row->args, " ");
	const char *slash = memrchr(row->args, '/', n);
	const char *name = slash ? slash + 1 : row->args;

	buf_add(b, name, n - (size_t)(name - row->args));
}

static const struct column {
	const char *name, *heading;
	cell_fn *add;
} columns[] = {
	{ "user", "USER", add_user },
	{ "uid", "UID", add_uid },
	{ "pid", "PID", add_pid },
	{ "ppid", "PPID", add_ppid },
	{ "c", "C", add_c },
	{ "pcpu", "%CPU", add_pcpu },
	{ "%cpu", "%CPU", add_pcpu },
	{ "pmem", "%MEM", add_pmem },
	{ "%mem", "%MEM", add_pmem },
	{ "vsz", "VSZ", add_vsz },
	{ "rss", "RSS", add_rss },
	{ "stat", "STAT", add_stat },
	{ "state", "S", add_stat },
	{ "nlwp", "NLWP", add_threads },
	{ "stime", "STIME", add_start },
	{ "start", "START", add_start },
	{ "tty", "TTY", add_tty },
	{ "tname", "TTY", add_tty },
	{ "time", "TIME", add_time },
	{ "etime", "ELAPSED", add_elapsed },
	{ "args", "COMMAND", add_args },
	{ "command", "COMMAND", add_args },
	{ "cmd", "CMD", add_args },
	{ "comm", "COMMAND", add_comm },
	{ "owner", "UID", add_user }, /* as ps -ef has it: names under "UID" */
};

static const struct column *find_column(const char *name)
{
	for (size_t i = 0; i < ARRAY_LEN(columns); i++)
		if (!strcmp(columns[i].name, name))
			return &columns[i];
	return NULL;
}

/* --- which */

static int take_list(const char *list, struct strv *ret, struct err *e)
{
	if (strv_split(ret, list, ",") < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (ret->n > COLUMNS_MAX)
		return err_set(e, E2BIG, "top: more than %d columns", COLUMNS_MAX);
	for (size_t i = 0; i < ret->n; i++)
		if (!find_column(ret->v[i]))
			return err_set(e, EINVAL,
				       "top: no column \"%.80s\": there are user, uid, pid, ppid, c, "
				       "pcpu, pmem, vsz, rss, stat, nlwp, stime, tty, time, etime, args "
				       "and comm",
				       ret->v[i]);
	return 0;
}

static bool is_one_of(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (!strcmp(word, *list))
			return true;
	return false;
}

int processes_columns(const struct strv *options, struct strv *ret, struct err *e)
{
	static const char *const full[] = { "-ef", "-f", "-Af", "-e", "-A", NULL };
	static const char *const bsd[] = { "aux", "-aux", "u", "axu", NULL };
	static const char *const with_list[] = { "-o", "-eo", "-efo", "o", "axo", NULL };
	const char *word = options->n ? options->v[0] : "-ef";

	if (options->n <= 1 && is_one_of(word, full))
		return take_list("owner,pid,ppid,c,stime,tty,time,cmd", ret, e);
	if (options->n == 1 && is_one_of(word, bsd))
		return take_list("user,pid,%cpu,%mem,vsz,rss,tty,stat,start,time,command", ret, e);
	if (options->n == 2 && is_one_of(word, with_list))
		return take_list(options->v[1], ret, e);
	if (options->n == 1 && !strncmp(word, "-o", 2))
		return take_list(word + 2, ret, e);
	if (options->n == 1 && find_column(word))
		return take_list(word, ret, e);
	if (options->n == 1 && strchr(word, ','))
		return take_list(word, ret, e);
	return err_set(
		e, EINVAL,
		"top: unknown options of ps: \"%.80s\" (-ef, aux, and -o with a list of columns are known)",
		word);
}

int processes_print(const struct process_list *l, const struct strv *names, const struct processes_context *c,
		    struct buf *out)
{
	AUTO(table_done) struct table t = { 0 };
	const char **headings = calloc(names->n + 1, sizeof(*headings));
	int r;

	if (!headings)
		return -ENOMEM;
	for (size_t k = 0; k < names->n; k++)
		headings[k] = find_column(names->v[k])->heading;
	table_start(&t, headings);
	for (size_t i = 0; i < l->n; i++)
		for (size_t k = 0; k < names->n; k++) {
			AUTO(buf_done) struct buf cell = { 0 };

			find_column(names->v[k])->add(&l->v[i], c, &cell);
			table_add_buf(&t, &cell);
		}
	r = table_print(&t, out);
	free(headings);
	return r;
}

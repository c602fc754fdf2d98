/* top_live.c - ketch top without a name: all running instances, of both kinds, on the terminal */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "cli/commands.h"
#include "cli/sample.h"
#include "cli/text.h"
#include "sys/terminal.h"

#define PERIOD_MS 1000
#define ENTER	  "\033[?1049h\033[?25l" /* the other screen, without a cursor */
#define LEAVE	  "\033[?25h\033[?1049l"
#define HOME	  "\033[H"
#define END_LINE  "\033[K\r\n"
#define CLEAR	  "\033[J" /* what is below */
#define INVERSE	  "\033[7m"
#define PLAIN	  "\033[0m"
#define CTRL_C	  3

typedef int compare_fn(const void *a, const void *b);

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct sample *)a)->in.spec.name, ((const struct sample *)b)->in.spec.name);
}

static int by_cpu(const void *a, const void *b)
{
	double x = ((const struct sample *)a)->cpu_percent, y = ((const struct sample *)b)->cpu_percent;

	return x != y ? (x < y) - (x > y) : by_name(a, b);
}

static int by_memory(const void *a, const void *b)
{
	uint64_t x = sample_memory(a), y = sample_memory(b);

	return x != y ? (x < y) - (x > y) : by_name(a, b);
}

static const struct order {
	char key;
	const char *word;
	compare_fn *compare;
} orders[] = { { 'c', "CPU", by_cpu }, { 'm', "memory", by_memory }, { 'n', "name", by_name } };

/* --- drawing */

static void add_row(struct table *t, const struct sample *s)
{
	AUTO(buf_done) struct buf memory = { 0 }, host = { 0 };
	autofree char *cpu = str_printf(s->compared ? "%.1f%%" : "--", s->cpu_percent);
	autofree char *pids = str_printf(s->answered ? "%llu" : "--", (unsigned long long)s->now.inside.pids);
	char up[64] = "--";

	if (s->in.state.started_ns)
		duration_words(clock_real_ns() - s->in.state.started_ns, up, sizeof(up));
	if (s->answered) {
		add_binary_size(&memory, sample_memory(s));
		buf_adds(&memory, " / ");
		add_binary_size(&memory, s->now.memory_limit_bytes);
		add_binary_size(&host, sample_host_memory(s));
	} else {
		buf_adds(&memory, "-- / --");
		buf_adds(&host, "--");
	}
	table_add(t, s->in.spec.name);
	table_add(t, isolation_names[s->in.spec.isolation]);
	table_add(t, cpu ? cpu : "");
	table_add_buf(t, &memory);
	table_add_buf(t, &host);
	table_add(t, pids ? pids : "");
	table_add(t, up);
	table_add(t, s->in.spec.image ? s->in.spec.image : "");
}

/* Lines cut to the width of the screen, the first (headings) inverse, as many as there is room for. */
static void add_screen(const char *text, int rows, int cols, struct buf *out)
{
	for (int row = 0; row < rows && *text; row++) {
		size_t n = strcspn(text, "\n");
		autofree char *line = strndup(text, n);

		if (row == 0)
			buf_adds(out, INVERSE);
		text_add_cut(out, line ? line : "", (size_t)cols);
		buf_adds(out, row == 0 ? PLAIN END_LINE : END_LINE);
		text += n + (text[n] == '\n');
	}
}

static int draw(struct samples *s, const struct order *o, struct err *e)
{
	static const char *const headings[] = { "NAME",	    "ISOLATION", "CPU %", "MEM USAGE / LIMIT",
						"HOST MEM", "PIDS",	 "UP",	  "IMAGE",
						NULL };
	AUTO(table_done) struct table t = { 0 };
	AUTO(buf_done) struct buf text = { 0 }, out = { 0 };
	int rows = 24, cols = 80;

	terminal_size(STDOUT_FILENO, &rows, &cols);
	qsort(s->v, s->n, sizeof(*s->v), o->compare);
	table_start(&t, headings);
	for (size_t i = 0; i < s->n; i++)
		add_row(&t, &s->v[i]);
	if (table_print(&t, &text) < 0)
		return err_set(e, ENOMEM, "out of memory");
	buf_addf(&out, HOME "%zu running, by %s   (c CPU, m memory, n name, q quit)" END_LINE, s->n, o->word);
	add_screen(text.data, rows - 2, cols, &out);
	buf_adds(&out, CLEAR);
	return cli_print(&out, e);
}

/* --- keys */

static int open_signals(void)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGWINCH);
	sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* false: it is over. */
static bool take_key(const struct order **o)
{
	char key;

	if (read(STDIN_FILENO, &key, 1) != 1 || key == 'q' || key == 'Q' || key == CTRL_C)
		return false;
	for (size_t i = 0; i < ARRAY_LEN(orders); i++)
		if (orders[i].key == key)
			*o = &orders[i];
	return true;
}

/* Waits for a key, a signal or the next second.  *ret_due: it is time for new numbers.  false: it is over. */
static bool attend(int signals, int wait_ms, const struct order **o, bool *ret_due)
{
	struct pollfd p[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = signals, .events = POLLIN } };
	struct signalfd_siginfo si;
	int n = poll(p, ARRAY_LEN(p), wait_ms);

	*ret_due = n == 0;
	if (n > 0 && p[1].revents && read(signals, &si, sizeof(si)) == sizeof(si) && si.ssi_signo != SIGWINCH)
		return false;
	return !(n > 0 && p[0].revents) || take_key(o);
}

static int watch(struct engine *en, int signals, struct err *e)
{
	static const struct strv all = { 0 };
	AUTO(samples_done) struct samples s = { 0 };
	const struct order *o = &orders[0];
	int64_t next_ns = clock_mono_ns() + SAMPLE_FIRST_MS * 1000000;
	int r = samples_take(&s, en, &all, false, e);

	while (r == 0) {
		int64_t left_ms = (next_ns - clock_mono_ns()) / 1000000;
		bool due;

		r = draw(&s, o, e);
		if (r < 0 || !attend(signals, left_ms < 0 ? 0 : (int)left_ms, &o, &due))
			break;
		if (!due)
			continue;
		next_ns = clock_mono_ns() + PERIOD_MS * INT64_C(1000000);
		r = samples_take(&s, en, &all, false, e);
	}
	return r;
}

int top_live(struct cli *c, struct err *e)
{
	struct terminal t = { 0 };
	autoclose int signals = -1;
	struct engine *en;
	int r;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return err_set(
			e, ENOTTY,
			"top: not on a terminal (\"ketch stats --no-stream\" prints the numbers once)");
	c->makes_store = true; /* what is waited for comes to a store that is there */
	en = cli_engine(c, e);
	if (!en)
		return -e->no;
	signals = open_signals();
	r = signals < 0 ? -errno : terminal_raw(&t, STDIN_FILENO, true);
	if (r < 0)
		return err_sys(e, -r, "the terminal");
	write_full(STDOUT_FILENO, ENTER, strlen(ENTER));
	r = watch(en, signals, e);
	write_full(STDOUT_FILENO, LEAVE, strlen(LEAVE));
	terminal_restore(&t);
	return r;
}

/* stats.c - ketch stats: what instances use, once or as it changes */
#include <errno.h>
#include <poll.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "cli/sample.h"
#include "cli/text.h"

#define PERIOD_MS 1000
#define CLEAR	  "\033[2J\033[H"

struct stats_args {
	bool all, no_stream, no_trunc, split;
	char *format;
};

static const struct opt stats_opts[] = {
	OPT(FLAG, 'a', "all", struct stats_args, all, NULL, "Show also those that do not run"),
	LISTING_FORMAT(struct stats_args, format),
	OPT(FLAG, 0, "no-stream", struct stats_args, no_stream, NULL, "Print them once, and end"),
	OPT(FLAG, 0, "no-trunc", struct stats_args, no_trunc, NULL, "Do not shorten ids"),
	OPT(FLAG, 0, "split", struct stats_args, split, NULL,
	    "Show also what is cache, and what the host spends"),
	{ 0 },
};

/* One line; Docker's names, and behind them ours.  All strings are owned. */
struct stats_row {
	char *block_io, *cpu, *container, *id, *memory_percent, *memory, *name, *net_io, *pids;
	char *isolation, *cache, *host_memory, *host_cpu;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct stats_row, block_io, "BlockIO"),
	JK(J_STR, struct stats_row, cpu, "CPUPerc"),
	JK(J_STR, struct stats_row, container, "Container"),
	JK(J_STR, struct stats_row, id, "ID"),
	JK(J_STR, struct stats_row, memory_percent, "MemPerc"),
	JK(J_STR, struct stats_row, memory, "MemUsage"),
	JK(J_STR, struct stats_row, name, "Name"),
	JK(J_STR, struct stats_row, net_io, "NetIO"),
	JK(J_STR, struct stats_row, pids, "PIDs"),
	JK(J_STR, struct stats_row, isolation, "Isolation"),
	JK(J_STR, struct stats_row, cache, "Cache"),
	JK(J_STR, struct stats_row, host_memory, "HostMem"),
	JK(J_STR, struct stats_row, host_cpu, "HostCPUPerc"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct stats_row), row_fields };

static void row_done(struct stats_row *row)
{
	json_done(&row_table, row);
}

static char *pair_text(bool known, void (*add)(struct buf *b, uint64_t bytes), uint64_t a, uint64_t b)
{
	struct buf out = { 0 };

	if (known)
		add(&out, a);
	buf_adds(&out, known ? " / " : "-- / --");
	if (known)
		add(&out, b);
	return buf_take(&out);
}

static char *binary_text(bool known, uint64_t bytes)
{
	struct buf out = { 0 };

	if (known)
		add_binary_size(&out, bytes);
	else
		buf_adds(&out, "--");
	return buf_take(&out);
}

static char *percent_text(bool known, double v)
{
	return known ? str_printf("%.2f%%", v) : str_printf("--");
}

static char *id_text(const struct sample *s, bool whole)
{
	struct buf id = { 0 };

	if (whole)
		text_add(&id, s->in.spec.id);
	else
		text_add_short_id(&id, s->in.spec.id);
	return buf_take(&id);
}

static void make_row(const struct sample *s, bool no_trunc, struct stats_row *row)
{
	const struct stats *in = &s->now.inside;
	uint64_t used = sample_memory(s), limit = s->now.memory_limit_bytes;
	bool known = s->answered;

	*row = (struct stats_row){
		.block_io = pair_text(known, text_add_size, in->read_bytes, in->written_bytes),
		.cpu = percent_text(s->compared, s->cpu_percent),
		.container = id_text(s, no_trunc),
		.id = id_text(s, no_trunc),
		.memory_percent =
			percent_text(known && limit, 100.0 * (double)used / (double)(limit ? limit : 1)),
		.memory = pair_text(known, add_binary_size, used, limit),
		.name = str_printf("%s", s->in.spec.name),
		.net_io = pair_text(known, text_add_size, in->received_bytes, in->sent_bytes),
		.pids = known ? str_printf("%llu", (unsigned long long)in->pids) : str_printf("--"),
		.isolation = str_printf("%s", isolation_names[s->in.spec.isolation]),
		.cache = binary_text(known, in->cache_bytes),
		.host_memory = binary_text(known, sample_host_memory(s)),
		.host_cpu = percent_text(s->compared, s->host_cpu_percent),
	};
}

static const struct column columns[] = {
	{ "BlockIO", "BLOCK I/O" },	     { "CPUPerc", "CPU %" },   { "HostCPUPerc", "HOST CPU %" },
	{ "HostMem", "HOST MEM" },	     { "ID", "CONTAINER ID" }, { "MemPerc", "MEM %" },
	{ "MemUsage", "MEM USAGE / LIMIT" }, { "NetIO", "NET I/O" },   { 0 },
};

#define PLAIN                                                                                                \
	"table "                                                                                             \
	"{{.ID}}\t{{.Name}}\t{{.CPUPerc}}\t{{.MemUsage}}\t{{.MemPerc}}\t{{.NetIO}}\t{{.BlockIO}}\t{{.PIDs}}"
#define SPLIT PLAIN "\t{{.Isolation}}\t{{.Cache}}\t{{.HostMem}}\t{{.HostCPUPerc}}"

static const struct listing_form plain_form = { .row = &row_table, .columns = columns, .table = PLAIN };
static const struct listing_form split_form = { .row = &row_table, .columns = columns, .table = SPLIT };

static int print_frame(const struct samples *s, const struct stats_args *a, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	int r = listing_begin(&l, a->split ? &split_form : &plain_form, a->format, false, e);

	if (r == 0 && !a->no_stream && l.format && isatty(STDOUT_FILENO))
		r = cli_print(&(struct buf){ .data = (char[]){ CLEAR }, .len = strlen(CLEAR) }, e);
	for (size_t i = 0; i < s->n && r == 0; i++) {
		AUTO(row_done) struct stats_row row = { 0 };

		make_row(&s->v[i], a->no_trunc, &row);
		r = listing_add(&l, &row, e);
	}
	return r < 0 ? r : listing_print(&l, e);
}

/* A wrong template is told before the first sample is taken. */
static int check_format(const struct stats_args *a, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };

	return listing_begin(&l, &plain_form, a->format, false, e);
}

static int stats_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(samples_done) struct samples s = { 0 };
	const struct stats_args *a = args;
	struct engine *en = NULL;
	int r = check_format(a, e);

	if (r < 0)
		return r;
	c->makes_store = !a->no_stream; /* what is waited for comes to a store that is there */
	en = cli_engine(c, e);
	r = en ? samples_take(&s, en, words, a->all, e) : -e->no;
	if (r == 0)
		poll(NULL, 0, SAMPLE_FIRST_MS);
	while (r == 0) {
		r = samples_take(&s, en, words, a->all, e);
		if (r == 0)
			r = print_frame(&s, a, e);
		if (r < 0 || a->no_stream)
			break;
		poll(NULL, 0, PERIOD_MS);
	}
	return r;
}

const struct command cmd_stats = {
	.name = "stats",
	.usage = "[NAME...]",
	.summary = "Show what instances use: CPU, memory, network, disks",
	.text = "A table each second; --no-stream: once.  100 % is one CPU.  Memory is without the cache "
		"that the kernel can have back at once, and in both isolations that of the workload: "
		"what a virtual machine costs the host besides is in the columns of --split, HOST MEM "
		"(the guest's RAM that was touched, the hypervisor, the file servers) and HOST CPU %.\n\n"
		"Block I/O is counted by the blkio or io controller where a limit has it in use, else it "
		"is that of the processes that live.\n\n"
		"Fields of --format: .Container .ID .Name .CPUPerc .MemUsage .MemPerc .NetIO .BlockIO "
		".PIDs .Isolation .Cache .HostMem .HostCPUPerc",
	.opts = stats_opts,
	.args_size = sizeof(struct stats_args),
	.max_words = WORDS_ANY,
	.words = WORDS_INSTANCE,
	.run = stats_run,
};

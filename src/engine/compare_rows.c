/* compare_rows.c - two walls as rows: one row a table line here, its value by a function of one wall */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "engine/compare_int.h"

#define VALUE_LEN 96
#define MIB	  1048576.0

/* Writes a value; leaves `text` empty when it is not known. */
typedef void value_fn(const struct wall *w, char text[VALUE_LEN]);

static void put_number(char text[VALUE_LEN], double v)
{
	snprintf(text, VALUE_LEN, v >= 100 ? "%.0f" : v >= 10 ? "%.1f" : "%.2f", v);
}

static void put_count(char text[VALUE_LEN], int64_t v)
{
	snprintf(text, VALUE_LEN, "%lld", (long long)v);
}

/* --- isolation */

static void kernel(const struct wall *w, char text[VALUE_LEN])
{
	snprintf(text, VALUE_LEN, "%s", w->probe.kernel ? w->probe.kernel : "");
}

/* -1: not known */
static int shares_kernel(const struct wall *w)
{
	AUTO(buf_done) struct buf id = { 0 };

	if (!w->probe.boot_id || read_file(AT_FDCWD, "/proc/sys/kernel/random/boot_id", 64, &id) < 0 ||
	    !id.data)
		return -1;
	id.data[strcspn(id.data, "\n")] = '\0';
	return !strcmp(id.data, w->probe.boot_id);
}

static void put_yes_no(char text[VALUE_LEN], int yes)
{
	if (yes >= 0)
		snprintf(text, VALUE_LEN, "%s", yes ? "yes" : "no");
}

static void shared_kernel(const struct wall *w, char text[VALUE_LEN])
{
	put_yes_no(text, shares_kernel(w));
}

static void face(const struct wall *w, char text[VALUE_LEN])
{
	snprintf(text, VALUE_LEN, "%s", w->isolation == ISOLATION_VM ? "the VMM" : "the workload");
}

static void face_uid(const struct wall *w, char text[VALUE_LEN])
{
	put_count(text, w->cost.uid);
}

static void face_capabilities(const struct wall *w, char text[VALUE_LEN])
{
	put_count(text, w->cost.capabilities);
}

static void face_filter(const struct wall *w, char text[VALUE_LEN])
{
	put_yes_no(text, w->cost.seccomp == 2);
}

static void processes_seen(const struct wall *w, char text[VALUE_LEN])
{
	put_count(text, (int64_t)w->probe.processes);
}

static void host_syscalls(const struct wall *w, char text[VALUE_LEN])
{
	int shares = shares_kernel(w);

	if (w->syscalls >= 0 && shares >= 0)
		put_count(text, shares ? w->syscalls : 0);
}

static void syscalls(const struct wall *w, char text[VALUE_LEN])
{
	if (w->syscalls >= 0)
		put_count(text, w->syscalls);
}

static void capabilities(const struct wall *w, char text[VALUE_LEN])
{
	put_count(text, (int64_t)w->probe.capabilities);
}

static void devices(const struct wall *w, char text[VALUE_LEN])
{
	put_count(text, (int64_t)w->probe.devices);
}

static void memory_seen(const struct wall *w, char text[VALUE_LEN])
{
	put_number(text, (double)w->probe.memory_bytes / MIB);
}

/* --- overhead */

static void host_processes(const struct wall *w, char text[VALUE_LEN])
{
	put_count(text, w->cost.processes);
}

static void memory_paid(const struct wall *w, char text[VALUE_LEN])
{
	put_number(text, (double)w->cost.pss_bytes / MIB);
}

static void memory_beyond(const struct wall *w, char text[VALUE_LEN])
{
	if (w->cost.pss_bytes > w->probe.pss_bytes)
		put_number(text, (double)(w->cost.pss_bytes - w->probe.pss_bytes) / MIB);
}

static void cgroup_memory(const struct wall *w, char text[VALUE_LEN])
{
	if (w->cost.cgroup_bytes)
		put_number(text, (double)w->cost.cgroup_bytes / MIB);
}

static void writable_layer(const struct wall *w, char text[VALUE_LEN])
{
	put_number(text, (double)w->cost.writable_bytes / MIB);
}

static void image_disk(const struct wall *w, char text[VALUE_LEN])
{
	if (w->cost.image_bytes)
		put_number(text, (double)w->cost.image_bytes / MIB);
}

/* --- start */

static void processor(const struct wall *w, char text[VALUE_LEN])
{
	snprintf(text, VALUE_LEN, "%s",
		 w->isolation != ISOLATION_VM ? "native"
		 : w->emulated		      ? "software emulation"
					      : "KVM");
}

static void first_output(const struct wall *w, char text[VALUE_LEN])
{
	size_t middle = w->n_starts / 2;

	if (w->n_starts)
		put_number(text, (double)w->starts_ns[middle] / 1e6);
}

static void first_output_best(const struct wall *w, char text[VALUE_LEN])
{
	if (w->n_starts)
		put_number(text, (double)w->starts_ns[0] / 1e6);
}

static void workload_first(const struct wall *w, char text[VALUE_LEN])
{
	if (w->workload_first_ns >= 0)
		put_number(text, (double)w->workload_first_ns / 1e6);
}

static void workload_total(const struct wall *w, char text[VALUE_LEN])
{
	if (!w->workload_stopped)
		put_number(text, (double)w->workload_ns / 1e6);
}

static void workload_status(const struct wall *w, char text[VALUE_LEN])
{
	if (w->workload_stopped)
		snprintf(text, VALUE_LEN, "stopped");
	else
		put_count(text, w->workload_status);
}

/* --- throughput */

#define RATE(name, member, per)                                                                              \
	static void name(const struct wall *w, char text[VALUE_LEN])                                         \
	{                                                                                                    \
		if (w->probe.member)                                                                         \
			put_number(text, (double)w->probe.member / (per));                                   \
	}

RATE(syscall_time, syscall_ps, 1e3)
RATE(fork_time, fork_ps, 1e6)
RATE(fault_time, page_fault_ps, 1e6)
RATE(hash_speed, hash_bytes_s, 1e6)
RATE(file_speed, files_s, 1)
RATE(fsync_speed, fsyncs_s, 1)
RATE(write_speed, write_bytes_s, 1e6)
RATE(read_speed, read_bytes_s, 1e6)

enum ratio { NONE, LESS_IS_BETTER, MORE_IS_BETTER };

static const struct {
	const char *group, *metric, *unit;
	value_fn *value;
	enum ratio ratio;
	const char *note; /* %d: processes of the host */
} table[] = {
	{ "isolation", "kernel it runs on", "", kernel, NONE, NULL },
	{ "isolation", "shares the host's kernel", "", shared_kernel, NONE, "by the kernel's boot id" },
	{ "isolation", "facing the host's kernel", "", face, NONE, NULL },
	{ "isolation", "its uid on the host", "", face_uid, NONE, NULL },
	{ "isolation", "its capabilities on the host", "", face_capabilities, NONE, NULL },
	{ "isolation", "its seccomp filter on the host", "", face_filter, NONE, NULL },
	{ "isolation", "system calls the workload can make", "", syscalls, NONE,
	  "let through by its seccomp filter" },
	{ "isolation", "of them, to the host's kernel", "", host_syscalls, NONE, NULL },
	{ "isolation", "the workload's capabilities", "", capabilities, NONE, "over the kernel it runs on" },
	{ "isolation", "processes it sees", "", processes_seen, NONE, "the host runs %d" },
	{ "isolation", "devices in /dev", "", devices, NONE, NULL },
	{ "isolation", "memory it sees", "MiB", memory_seen, NONE, NULL },
	{ "overhead", "host processes", "", host_processes, NONE, "the workload's own included" },
	{ "overhead", "memory the host pays", "MiB", memory_paid, LESS_IS_BETTER, NULL },
	{ "overhead", "beyond the workload's own", "MiB", memory_beyond, LESS_IS_BETTER, NULL },
	{ "overhead", "memory of its cgroup", "MiB", cgroup_memory, NONE, "with page cache" },
	{ "overhead", "disk, writable layer", "MiB", writable_layer, NONE, NULL },
	{ "overhead", "disk, image", "MiB", image_disk, NONE, "kept once for all its instances" },
	{ "start", "processor", "", processor, NONE, NULL },
	{ "start", "to first output, median", "ms", first_output, LESS_IS_BETTER, NULL },
	{ "start", "to first output, best", "ms", first_output_best, LESS_IS_BETTER, NULL },
	{ "start", "the workload: to first output", "ms", workload_first, LESS_IS_BETTER, NULL },
	{ "start", "the workload: to its end", "ms", workload_total, LESS_IS_BETTER, NULL },
	{ "start", "the workload: exit status", "", workload_status, NONE, NULL },
	{ "throughput", "system call", "ns", syscall_time, LESS_IS_BETTER, NULL },
	{ "throughput", "fork, exit, wait", "us", fork_time, LESS_IS_BETTER, NULL },
	{ "throughput", "page fault", "us", fault_time, LESS_IS_BETTER, NULL },
	{ "throughput", "CPU: FNV-1a", "MB/s", hash_speed, MORE_IS_BETTER, NULL },
	{ "throughput", "files made and removed", "/s", file_speed, MORE_IS_BETTER, NULL },
	{ "throughput", "fsync of 4 KiB", "/s", fsync_speed, MORE_IS_BETTER, NULL },
	{ "throughput", "file write", "MB/s", write_speed, MORE_IS_BETTER, "32 MiB, to the page cache" },
	{ "throughput", "file read", "MB/s", read_speed, MORE_IS_BETTER, "32 MiB, from the page cache" },
};

/* "VM 13 times slower": only from two numbers. */
static char *ratio_note(enum ratio how, const char *container, const char *vm)
{
	double c = strtod(container, NULL), v = strtod(vm, NULL), times;
	bool less = how == LESS_IS_BETTER;

	if (how == NONE || c <= 0 || v <= 0)
		return NULL;
	times = less ? v / c : c / v;
	if (times >= 1)
		return str_printf("VM %.1f times %s", times, less ? "as much" : "slower");
	return str_printf("VM %.1f times %s", 1 / times, less ? "less" : "faster");
}

static char *make_note(size_t i, const char *container, const char *vm)
{
	char *ratio = ratio_note(table[i].ratio, container, vm);

	if (ratio || !table[i].note)
		return ratio;
	return strchr(table[i].note, '%') ? str_printf("the host runs %d", compare_host_processes())
					  : strdup(table[i].note);
}

static char *value_of(size_t i, const struct wall *w)
{
	char text[VALUE_LEN] = "";

	if (!w->error.no)
		table[i].value(w, text);
	return strdup(text[0] ? text : "-");
}

int compare_add_rows(const struct wall *container, const struct wall *vm, struct compare_report *r)
{
	r->rows = calloc(ARRAY_LEN(table), sizeof(*r->rows));
	if (!r->rows)
		return -ENOMEM;
	for (size_t i = 0; i < ARRAY_LEN(table); i++) {
		struct compare_row *row = &r->rows[r->n++];

		row->group = strdup(table[i].group);
		row->metric = strdup(table[i].metric);
		row->unit = strdup(table[i].unit);
		row->container = value_of(i, container);
		row->vm = value_of(i, vm);
		if (!row->group || !row->metric || !row->unit || !row->container || !row->vm)
			return -ENOMEM;
		row->note = make_note(i, row->container, row->vm);
	}
	return 0;
}

/* usage.c - statistics of a container as `runc events --stats` prints them, the same from v1 and v2
 *
 * Times are in nanoseconds, sizes in bytes; a limit that is none is 2^64 - 1, but 0 for processes.  What the kernel does not
 * tell is left out.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/json.h"
#include "base/parse.h"
#include "cgroup/usage_int.h"

#define FILE_MAX  (1 << 20)
#define TICK_NS	  10000000 /* USER_HZ is 100 on every architecture */
#define NS_PER_US 1000

struct usage_place usage_place(const struct strv *record, const char *controller)
{
	struct usage_place p = { 0 };

	p.dir = cgroup_record_dir(record, controller, &p.v2);
	p.v2 = p.v2 && p.dir;
	return p;
}

int usage_read_lines(const struct usage_place *p, const char *file, struct strv *ret)
{
	autofree char *path = p->dir ? str_printf("%s/%s", p->dir, file) : NULL;
	AUTO(buf_done) struct buf b = { 0 };
	int r = path ? read_file(AT_FDCWD, path, FILE_MAX, &b) : -ENOENT;

	return r < 0 ? r : strv_split(ret, b.data ? b.data : "", "\n");
}

/* The number of a file, or behind the line's first word `key`; "max" is 2^64 - 1. */
static bool number_of(const struct usage_place *p, const char *file, const char *key, uint64_t *ret)
{
	AUTO(strv_done) struct strv lines = { 0 };
	size_t n = key ? strlen(key) : 0;

	if (usage_read_lines(p, file, &lines) < 0)
		return false;
	for (size_t i = 0; i < lines.n; i++) {
		const char *l = lines.v[i];

		if (key && (strncmp(l, key, n) || l[n] != ' '))
			continue;
		l += key ? n + 1 : 0;
		if (!strcmp(l, "max")) {
			*ret = UINT64_MAX;
			return true;
		}
		return parse_u64(l, ret) == 0;
	}
	return false;
}

/* --- writing: a comma stands before every member but the first */

void usage_member(struct buf *out, const char *name)
{
	if (out->len && !strchr("{[", out->data[out->len - 1]))
		buf_addc(out, ',');
	if (!name)
		return;
	json_add_str(out, name);
	buf_addc(out, ':');
}

static void open_object(struct buf *out, const char *name)
{
	usage_member(out, name);
	buf_addc(out, '{');
}

static void add_number(struct buf *out, const char *name, uint64_t v)
{
	usage_member(out, name);
	buf_addf(out, "%" PRIu64, v);
}

static void add_file(struct buf *out, const char *name, const struct usage_place *p, const char *file)
{
	uint64_t v;

	if (number_of(p, file, NULL, &v))
		add_number(out, name, v);
}

static void add_key(struct buf *out, const char *name, const struct usage_place *p, const char *key,
		    uint64_t factor)
{
	uint64_t v;

	if (number_of(p, "cpu.stat", key, &v))
		add_number(out, name, v * factor);
}

/* --- cpu */

/* A column of cpuacct.usage_all ("cpu user system" and a line for each), or the words of cpuacct.usage_percpu. */
static void add_percpu(struct buf *out, const char *name, const struct usage_place *p, const char *file,
		       size_t column)
{
	AUTO(strv_done) struct strv lines = { 0 };
	bool words = !strcmp(file, "cpuacct.usage_percpu");
	AUTO(strv_done) struct strv first = { 0 };

	if (usage_read_lines(p, file, &lines) < 0 || !lines.n)
		return;
	usage_member(out, name);
	buf_addc(out, '[');
	if (words && strv_split(&first, lines.v[0], " ") == 0)
		for (size_t i = 0; i < first.n; i++)
			if (*first.v[i]) {
				usage_member(out, NULL);
				buf_adds(out, first.v[i]);
			}
	for (size_t i = 1; i < lines.n && !words; i++) {
		AUTO(strv_done) struct strv fields = { 0 };

		if (strv_split(&fields, lines.v[i], " ") < 0 || fields.n <= column)
			continue;
		usage_member(out, NULL);
		buf_adds(out, fields.v[column]);
	}
	buf_addc(out, ']');
}

static void add_cpu_usage(const struct strv *record, struct buf *out)
{
	struct usage_place acct = usage_place(record, "cpuacct"), cpu = usage_place(record, "cpu");
	uint64_t user = 0, system = 0;

	open_object(out, "usage");
	if (acct.v2) {
		add_key(out, "total", &cpu, "usage_usec", NS_PER_US);
		number_of(&cpu, "cpu.stat", "user_usec", &user);
		number_of(&cpu, "cpu.stat", "system_usec", &system);
		user *= NS_PER_US;
		system *= NS_PER_US;
	} else {
		add_file(out, "total", &acct, "cpuacct.usage");
		add_percpu(out, "percpu", &acct, "cpuacct.usage_percpu", 0);
		add_percpu(out, "percpu_kernel", &acct, "cpuacct.usage_all", 2);
		add_percpu(out, "percpu_user", &acct, "cpuacct.usage_all", 1);
		number_of(&acct, "cpuacct.stat", "user", &user);
		number_of(&acct, "cpuacct.stat", "system", &system);
		user *= TICK_NS;
		system *= TICK_NS;
	}
	add_number(out, "kernel", system);
	add_number(out, "user", user);
	buf_addc(out, '}');
}

static void add_cpu(const struct strv *record, struct buf *out)
{
	struct usage_place p = usage_place(record, "cpu");

	open_object(out, "cpu");
	add_cpu_usage(record, out);
	open_object(out, "throttling");
	add_key(out, "periods", &p, "nr_periods", 1);
	add_key(out, "throttledPeriods", &p, "nr_throttled", 1);
	if (p.v2)
		add_key(out, "throttledTime", &p, "throttled_usec", NS_PER_US);
	else
		add_key(out, "throttledTime", &p, "throttled_time", 1);
	buf_adds(out, "}}");
}

/* --- memory */

static void add_memory_v1(struct buf *out, const char *name, const struct usage_place *p, const char *part)
{
	static const char *const files[][2] = {
		{ "limit", "limit_in_bytes" },
		{ "usage", "usage_in_bytes" },
		{ "max", "max_usage_in_bytes" },
		{ "failcnt", "failcnt" },
	};

	open_object(out, name);
	for (size_t i = 0; i < ARRAY_LEN(files); i++) {
		autofree char *file = str_printf("memory.%s%s", part, files[i][1]);

		if (file)
			add_file(out, files[i][0], p, file);
	}
	buf_addc(out, '}');
}

static void add_memory_v2(struct buf *out, const struct usage_place *p)
{
	uint64_t limit, usage, swap_limit, swap;

	open_object(out, "usage");
	add_file(out, "limit", p, "memory.max");
	add_file(out, "usage", p, "memory.current");
	add_file(out, "max", p, "memory.peak"); /* Linux 5.19 */
	buf_addc(out, '}');
	if (!number_of(p, "memory.max", NULL, &limit) || !number_of(p, "memory.current", NULL, &usage) ||
	    !number_of(p, "memory.swap.max", NULL, &swap_limit) ||
	    !number_of(p, "memory.swap.current", NULL, &swap))
		return;
	/* on v1, whose words these are, swap is memory and swap */
	open_object(out, "swap");
	add_number(out, "limit",
		   limit == UINT64_MAX || swap_limit == UINT64_MAX ? UINT64_MAX : limit + swap_limit);
	add_number(out, "usage", usage + swap);
	buf_addc(out, '}');
}

static void add_raw(struct buf *out, const struct usage_place *p)
{
	AUTO(strv_done) struct strv lines = { 0 };
	uint64_t v;

	if (usage_read_lines(p, "memory.stat", &lines) < 0)
		return;
	open_object(out, "raw");
	for (size_t i = 0; i < lines.n; i++) {
		char *space = strchr(lines.v[i], ' ');

		if (!space || parse_u64(space + 1, &v) < 0)
			continue;
		*space = '\0';
		add_number(out, lines.v[i], v);
	}
	buf_addc(out, '}');
}

static void add_memory(const struct strv *record, struct buf *out)
{
	struct usage_place p = usage_place(record, "memory");
	uint64_t cache;

	open_object(out, "memory");
	if (number_of(&p, "memory.stat", p.v2 ? "file" : "cache", &cache))
		add_number(out, "cache", cache);
	if (p.v2) {
		add_memory_v2(out, &p);
	} else if (p.dir) {
		add_memory_v1(out, "usage", &p, "");
		add_memory_v1(out, "swap", &p, "memsw.");
		add_memory_v1(out, "kernel", &p, "kmem.");
		add_memory_v1(out, "kernelTCP", &p, "kmem.tcp.");
	}
	add_raw(out, &p);
	buf_addc(out, '}');
}

/* --- processes, huge pages */

static void add_pids(const struct strv *record, struct buf *out)
{
	struct usage_place p = usage_place(record, "pids");
	uint64_t limit;

	open_object(out, "pids");
	add_file(out, "current", &p, "pids.current");
	if (number_of(&p, "pids.max", NULL, &limit) && limit != UINT64_MAX)
		add_number(out, "limit", limit);
	buf_addc(out, '}');
}

static void add_page_size(struct buf *out, const struct usage_place *p, const char *size)
{
	static const char *const v1[][2] = { { "usage", "usage_in_bytes" },
					     { "max", "max_usage_in_bytes" },
					     { "failcnt", "failcnt" } };
	autofree char *current = str_printf("hugetlb.%s.current", size);
	autofree char *events = str_printf("hugetlb.%s.events", size);
	uint64_t failed;

	open_object(out, size);
	if (p->v2 && current && events) {
		add_file(out, "usage", p, current);
		if (number_of(p, events, "max", &failed))
			add_number(out, "failcnt", failed);
	}
	for (size_t i = 0; i < ARRAY_LEN(v1) && !p->v2; i++) {
		autofree char *file = str_printf("hugetlb.%s.%s", size, v1[i][1]);

		if (file)
			add_file(out, v1[i][0], p, file);
	}
	buf_addc(out, '}');
}

static void add_hugetlb(const struct strv *record, struct buf *out)
{
	struct usage_place p = usage_place(record, "hugetlb");
	const char *end = p.v2 ? ".current" : ".usage_in_bytes";
	DIR *d = p.dir ? opendir(p.dir) : NULL;
	struct dirent *de;

	open_object(out, "hugetlb");
	while (d && (de = readdir(d))) {
		char *size = de->d_name + strlen("hugetlb."), *dot;

		if (strncmp(de->d_name, "hugetlb.", strlen("hugetlb.")))
			continue;
		dot = strchr(size, '.');
		if (!dot || strcmp(dot, end))
			continue;
		*dot = '\0';
		add_page_size(out, &p, size);
	}
	if (d)
		closedir(d);
	buf_addc(out, '}');
}

int cgroup_print_usage(const struct strv *record, struct buf *out)
{
	buf_addc(out, '{');
	add_cpu(record, out);
	add_memory(record, out);
	add_pids(record, out);
	usage_print_block_io(record, out);
	add_hugetlb(record, out);
	buf_addc(out, '}');
	return buf_ok(out) ? 0 : -ENOMEM;
}

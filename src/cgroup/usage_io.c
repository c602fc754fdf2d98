/* usage_io.c - statistics of block devices: what was read and written */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/json.h"
#include "base/parse.h"
#include "cgroup/usage_int.h"

struct entry {
	unsigned major, minor;
	const char *op;
	uint64_t value;
};

static void add_entry(struct buf *out, const struct entry *en)
{
	usage_member(out, NULL);
	buf_addf(out, "{\"major\":%u,\"minor\":%u,\"op\":", en->major, en->minor);
	json_add_str(out, en->op);
	buf_addf(out, ",\"value\":%" PRIu64 "}", en->value);
}

/* "8:0 Read 4096"; the last line, "Total 4096", is the sum. */
static size_t add_v1(struct buf *out, const struct usage_place *p, const char *file)
{
	AUTO(strv_done) struct strv lines = { 0 };
	size_t found = 0;

	if (usage_read_lines(p, file, &lines) < 0)
		return 0;
	for (size_t i = 0; i < lines.n; i++) {
		AUTO(strv_done) struct strv f = { 0 };
		struct entry en;

		if (strv_split(&f, lines.v[i], " ") < 0 || f.n != 3 ||
		    sscanf(f.v[0], "%u:%u", &en.major, &en.minor) != 2 || parse_u64(f.v[2], &en.value) < 0)
			continue;
		en.op = f.v[1];
		add_entry(out, &en);
		found++;
	}
	return found;
}

/* BFQ counts what goes through it; the throttling layer, all. */
static void add_list_v1(struct buf *out, const struct usage_place *p, const char *name)
{
	autofree char *bfq = str_printf("blkio.bfq.%s_recursive", name);
	autofree char *throttle = str_printf("blkio.throttle.%s_recursive", name);

	if (bfq && throttle && !add_v1(out, p, bfq))
		add_v1(out, p, throttle);
}

/* "8:0 rbytes=4096 wbytes=0 rios=1 wios=0 dbytes=0 dios=0": those whose key ends as wanted. */
static void add_list_v2(struct buf *out, const struct usage_place *p, const char *unit)
{
	static const struct {
		char letter;
		const char *op;
	} ops[] = { { 'r', "Read" }, { 'w', "Write" }, { 'd', "Discard" } };
	AUTO(strv_done) struct strv lines = { 0 };

	if (usage_read_lines(p, "io.stat", &lines) < 0)
		return;
	for (size_t i = 0; i < lines.n; i++) {
		AUTO(strv_done) struct strv f = { 0 };
		struct entry en;

		if (strv_split(&f, lines.v[i], " ") < 0 || !f.n ||
		    sscanf(f.v[0], "%u:%u", &en.major, &en.minor) != 2)
			continue;
		for (size_t k = 0; k < ARRAY_LEN(ops); k++) {
			autofree char *key = str_printf("%c%s", ops[k].letter, unit);
			const char *value = key ? strv_env_get(&f, key) : NULL;

			en.op = ops[k].op;
			if (value && parse_u64(value, &en.value) == 0)
				add_entry(out, &en);
		}
	}
}

static void add_list(struct buf *out, const struct usage_place *p, const char *name, bool bytes)
{
	usage_member(out, name);
	buf_addc(out, '[');
	if (p->v2)
		add_list_v2(out, p, bytes ? "bytes" : "ios");
	else
		add_list_v1(out, p, bytes ? "io_service_bytes" : "io_serviced");
	buf_addc(out, ']');
}

void usage_print_block_io(const struct strv *record, struct buf *out)
{
	struct usage_place p = usage_place(record, "blkio");

	usage_member(out, "blkio");
	buf_addc(out, '{');
	if (p.dir) {
		add_list(out, &p, "ioServiceBytesRecursive", true);
		add_list(out, &p, "ioServicedRecursive", false);
	}
	buf_addc(out, '}');
}

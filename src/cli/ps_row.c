/* ps_row.c - one instance in the words of docker ps */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/clock.h"
#include "cli/port_words.h"
#include "cli/ps.h"
#include "cli/text.h"

#define COMMAND_WIDTH 20
#define MOUNT_WIDTH   15

/* Docker's names.  Strings are owned. */
struct ps_row {
	char *command, *created, *id, *image, *isolation, *labels, *local_volumes, *mounts, *names, *networks,
		*ago, *ports, *size, *state, *status;
	struct strv label;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct ps_row, command, "Command"),
	JK(J_STR, struct ps_row, created, "CreatedAt"),
	JK(J_STR, struct ps_row, id, "ID"),
	JK(J_STR, struct ps_row, image, "Image"),
	JK(J_STR, struct ps_row, isolation, "Isolation"),
	JK(J_MAP, struct ps_row, label, "Label"),
	JK(J_STR, struct ps_row, labels, "Labels"),
	JK(J_STR, struct ps_row, local_volumes, "LocalVolumes"),
	JK(J_STR, struct ps_row, mounts, "Mounts"),
	JK(J_STR, struct ps_row, names, "Names"),
	JK(J_STR, struct ps_row, networks, "Networks"),
	JK(J_STR, struct ps_row, ports, "Ports"),
	JK(J_STR, struct ps_row, ago, "RunningFor"),
	JK(J_STR, struct ps_row, size, "Size"),
	JK(J_STR, struct ps_row, state, "State"),
	JK(J_STR, struct ps_row, status, "Status"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct ps_row), row_fields };

static const struct column columns[] = {
	{ "CreatedAt", "CREATED AT" },
	{ "ID", "CONTAINER ID" },
	{ "LocalVolumes", "LOCAL VOLUMES" },
	{ "RunningFor", "CREATED" },
	{ 0 },
};

#define TABLE                                                                                                \
	"table "                                                                                             \
	"{{.ID}}\t{{.Image}}\t{{.Command}}\t{{.RunningFor}}\t{{.Status}}\t{{.Ports}}\t{{.Isolation}}\t{{."   \
	"Names}}"

const struct listing_form ps_form = {
	.row = &row_table,
	.columns = columns,
	.table = TABLE,
	.quiet = "{{.ID}}",
};

const struct listing_form ps_form_with_size = {
	.row = &row_table,
	.columns = columns,
	.table = TABLE "\t{{.Size}}",
	.quiet = "{{.ID}}",
};

static void row_done(struct ps_row *row)
{
	json_done(&row_table, row);
}

static const char *health_words(const struct instance_state *s)
{
	static const char *const words[HEALTH_N] = {
		[HEALTH_NONE] = "",
		[HEALTH_STARTING] = " (health: starting)",
		[HEALTH_HEALTHY] = " (healthy)",
		[HEALTH_UNHEALTHY] = " (unhealthy)",
	};

	return words[s->health.status];
}

/* "Up 3 minutes (Paused)", "Up 2 hours (healthy)", "Exited (0) 2 hours ago", "Created" */
static char *status_words(const struct instance_state *s, int64_t now_ns)
{
	struct buf b = { 0 };
	char words[64];

	switch ((enum instance_status)s->status) {
	case STATUS_RUNNING:
	case STATUS_PAUSED:
		duration_words(now_ns - s->started_ns, words, sizeof(words));
		buf_addf(&b, "Up %s%s", words, s->status == STATUS_PAUSED ? " (Paused)" : health_words(s));
		break;
	case STATUS_RESTARTING:
		buf_addf(&b, "Restarting (%d) ", s->exit_code);
		text_add_ago(&b, now_ns, s->finished_ns);
		break;
	case STATUS_EXITED:
		buf_addf(&b, "Exited (%d) ", s->exit_code);
		text_add_ago(&b, now_ns, s->finished_ns);
		break;
	case STATUS_STARTING:
		buf_adds(&b, "Starting");
		break;
	case STATUS_CREATED:
	case STATUS_N:
		buf_adds(&b, "Created");
		break;
	}
	return buf_take(&b);
}

/* As Docker has it: arguments with blanks in single quotes, cut, then quoted as in Go. */
static char *command_words(const struct strv *args, size_t max)
{
	AUTO(buf_done) struct buf line = { 0 }, cut = { 0 };
	struct buf b = { 0 };

	for (size_t i = 0; i < args->n; i++)
		buf_addf(&line, i && strchr(args->v[i], ' ') ? "%s'%s'" : "%s%s", i ? " " : "", args->v[i]);
	text_add_cut(&cut, line.data ? line.data : "", max);
	buf_addc(&b, '"');
	for (const char *c = cut.data ? cut.data : ""; *c; c++)
		buf_addf(&b, *c == '"' || *c == '\\' ? "\\%c" : "%c", *c);
	buf_addc(&b, '"');
	b.failed |= line.failed || cut.failed;
	return buf_take(&b);
}

static char *joined(const struct strv *list)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < list->n; i++)
		buf_addf(&b, "%s%s", i ? "," : "", list->v[i]);
	return buf_take(&b);
}

/* Names of volumes and directories of the host. */
static char *mount_words(const struct instance_spec *s, size_t max)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < s->n_mounts; i++) {
		if (!s->mounts[i].source)
			continue;
		buf_adds(&b, b.len ? "," : "");
		text_add_cut(&b, s->mounts[i].source, max);
	}
	return buf_take(&b);
}

/* "12.3kB (virtual 7.8MB)" */
static char *size_words(const struct instance_size *size)
{
	static const struct instance_size none;
	struct buf b = { 0 };

	text_add_size(&b, (size ? size : &none)->writes_bytes);
	if (size) {
		buf_adds(&b, " (virtual ");
		text_add_size(&b, size->all_bytes);
		buf_addc(&b, ')');
	}
	return buf_take(&b);
}

static char *count_volumes(const struct instance_spec *s)
{
	size_t n = 0;

	for (size_t i = 0; i < s->n_mounts; i++)
		n += s->mounts[i].type == MOUNT_VOLUME;
	return str_printf("%zu", n);
}

static int make_row(const struct instance *in, bool no_trunc, const struct instance_size *size,
		    struct ps_row *row)
{
	int64_t now_ns = clock_real_ns();
	const struct instance_spec *s = &in->spec;
	struct buf created = { 0 }, ago = { 0 }, networks = { 0 }, ports = { 0 };

	text_add_local_time(&created, s->created_ns);
	text_add_ago(&ago, now_ns, s->created_ns);
	network_words(s, &networks);
	port_words(&s->net, instance_is_live(&in->state), &ports);
	*row = (struct ps_row){
		.id = no_trunc ? strdup(s->id) : strndup(s->id, 12),
		.image = strdup(s->image),
		.command = command_words(&s->process.args, no_trunc ? SIZE_MAX : COMMAND_WIDTH),
		.created = buf_take(&created),
		.ago = buf_take(&ago),
		.status = status_words(&in->state, now_ns),
		.isolation = strdup(isolation_names[s->isolation]),
		.names = strdup(s->name),
		.networks = buf_take(&networks),
		.ports = buf_take(&ports),
		.size = size_words(size),
		.state = strdup(status_names[in->state.status]),
		.labels = joined(&s->labels),
		.local_volumes = count_volumes(s),
		.mounts = mount_words(s, no_trunc ? SIZE_MAX : MOUNT_WIDTH),
	};
	for (const struct jfield *f = row_fields; f->type; f++)
		if (f->type == J_STR && !*(char **)((char *)row + f->off))
			return -ENOMEM;
	return strv_copy(&row->label, &s->labels);
}

int ps_add_row(struct listing *l, const struct instance *in, bool no_trunc, const struct instance_size *size,
	       struct err *e)
{
	AUTO(row_done) struct ps_row row = { 0 };

	if (make_row(in, no_trunc, size, &row) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return listing_add(l, &row, e);
}

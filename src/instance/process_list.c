/* process_list.c - the processes of an instance: the answer to MSG_TOP, in parts */
#include "instance/process_list.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

static const struct jfield row_fields[] = {
	J(J_INT, struct process_row, pid),
	J(J_INT, struct process_row, ppid),
	J(J_U32, struct process_row, uid),
	J(J_STR, struct process_row, state),
	J(J_INT, struct process_row, tty),
	JK(J_I64, struct process_row, start_ns, "startNs"),
	JK(J_U64, struct process_row, cpu_ns, "cpuNs"),
	JK(J_U64, struct process_row, rss_bytes, "rss"),
	JK(J_U64, struct process_row, vsz_bytes, "vsz"),
	J(J_U64, struct process_row, threads),
	J(J_STR, struct process_row, args),
	{ 0 },
};
const struct jtable process_row_table = { sizeof(struct process_row), row_fields };

void process_list_done(struct process_list *l)
{
	for (size_t i = 0; i < l->n; i++)
		json_done(&process_row_table, &l->v[i]);
	free(l->v);
	*l = (struct process_list){ 0 };
}

static int check_row(const struct process_row *row, struct err *e)
{
	if (row->pid <= 0 || row->ppid < 0 || !row->state || strlen(row->state) != 1 || !row->args)
		return err_set(e, EINVAL, "list of processes: a process without number, state or command");
	return 0;
}

int process_list_parse(const char *text, size_t n, struct process_list *l, struct err *e)
{
	struct process_list part = { 0 };
	struct process_row *more;
	void *rows;
	int r = json_parse_array(&process_row_table, text, n, JSON_STRICT | JSON_UNIQUE, &rows, &part.n, e);

	if (r < 0)
		return r;
	part.v = rows;
	for (size_t i = 0; i < part.n && r == 0; i++)
		r = check_row(&part.v[i], e);
	more = r == 0 ? reallocarray(l->v, l->n + part.n + 1, sizeof(*more)) : NULL;
	if (!more) {
		process_list_done(&part);
		return r < 0 ? r : err_set(e, ENOMEM, "out of memory");
	}
	l->v = more;
	if (part.n)
		memcpy(l->v + l->n, part.v, part.n * sizeof(*part.v));
	l->n += part.n;
	free(part.v);
	return 0;
}

/* file_request.c - which files of an instance are copied: JSON <-> struct */
#include "instance/file_request.h"

#include <errno.h>
#include <string.h>

const char *const files_kind_names[] = {
	[FILES_COPY] = "copy",	 [FILES_TREE] = "tree", [FILES_CHANGES] = "changes",
	[FILES_LAYER] = "layer", [FILES_HOLD] = "hold", NULL
};

static const struct jfield file_request_fields[] = {
	JE(struct file_request, kind, "kind", files_kind_names),
	J(J_STR, struct file_request, path),
	J(J_BOOL, struct file_request, still),
	J(J_BOOL, struct file_request, stamps),
	J(J_BOOL, struct file_request, follow),
	J(J_BOOL, struct file_request, archive),
	JK(J_BOOL, struct file_request, keep_owner, "keepOwner"),
	{ 0 },
};
const struct jtable file_request_table = { sizeof(struct file_request), file_request_fields };

int file_request_parse(const char *text, size_t n, struct file_request *ret, struct err *e)
{
	struct file_request rq = { 0 };
	int r = json_parse(&file_request_table, text, n, JSON_STRICT | JSON_UNIQUE, &rq, e);

	if (r < 0)
		return r;
	if (rq.kind == FILES_COPY && (!rq.path || !*rq.path)) {
		json_done(&file_request_table, &rq);
		return err_set(e, EINVAL, "a request for files names no path");
	}
	*ret = rq;
	return 0;
}

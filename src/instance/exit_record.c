/* exit_record.c - writing the record of an end, also on a disk that is full */
#include "instance/exit_record.h"

#include <errno.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"

static int write_durably(int dir, const struct buf *text)
{
	return write_file_atomic(dir, EXIT_RECORD, 0600, text->data, text->len);
}

/* START_RECORD has an inode that is no longer needed: the new file becomes a second name of it. */
static int write_over_start(int dir, const struct buf *text)
{
	int r;

	if (linkat(dir, START_RECORD, dir, EXIT_RECORD WRITE_FILE_TMP, 0) < 0)
		return -errno;
	r = write_durably(dir, text);
	if (r == 0)
		unlinkat(dir, START_RECORD, 0);
	return r;
}

int exit_record_write(int dir, const struct instance_state *st, bool durable)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r = json_print(&instance_state_table, st, 0, &text);

	if (r < 0)
		return r;
	if (!durable)
		return write_file_swap(dir, EXIT_RECORD, 0600, text.data, text.len);
	r = write_durably(dir, &text);
	return r == -ENOSPC ? write_over_start(dir, &text) : r;
}

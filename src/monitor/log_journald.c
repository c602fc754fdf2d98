/* log_journald.c - a log in systemd's journal, with the fields that Docker's driver has */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "monitor/log_int.h"
#include "sys/journald.h"

#define PRIORITY_OUT "6" /* LOG_INFO */
#define PRIORITY_ERR "3" /* LOG_ERR */
#define SHORT_ID     12

struct log_journal {
	int fd;
	struct buf fields; /* those of every entry */
	int r;
};

static void journal_add(void *arg, const struct log_line *line)
{
	struct log_journal *j = arg;
	struct buf entry = { 0 };
	int r;

	journald_add(&entry, "MESSAGE", line->text->data ? line->text->data : "", line->text->len);
	journald_add(&entry, "PRIORITY", line->stream == LOG_STDERR ? PRIORITY_ERR : PRIORITY_OUT, 1);
	if (!line->whole)
		journald_add(&entry, "CONTAINER_PARTIAL_MESSAGE", "true", 4);
	buf_add(&entry, j->fields.data, j->fields.len);
	r = journald_send(j->fd, &entry);
	if (r < 0 && j->r == 0)
		j->r = r;
	buf_done(&entry);
}

static int journal_flush(void *arg)
{
	struct log_journal *j = arg;
	int r = j->r;

	j->r = 0;
	return r;
}

static void journal_close(void *arg)
{
	struct log_journal *j = arg;

	if (j->fd >= 0)
		close(j->fd);
	buf_done(&j->fields);
	free(j);
}

static const struct log_sink journal_sink = { journal_add, journal_flush, journal_close };

struct log *log_open_journald(const struct instance_spec *s)
{
	struct log_journal *j = calloc(1, sizeof(*j));
	const char *tag = s->log.tag;

	if (!j)
		return NULL;
	j->fd = journald_connect(NULL);
	if (j->fd < 0) {
		int no = -j->fd;

		journal_close(j);
		errno = no;
		return NULL;
	}
	journald_add(&j->fields, "CONTAINER_ID", s->id, SHORT_ID);
	journald_add(&j->fields, "CONTAINER_ID_FULL", s->id, strlen(s->id));
	journald_add(&j->fields, "CONTAINER_NAME", s->name, strlen(s->name));
	journald_add(&j->fields, "CONTAINER_TAG", tag ? tag : s->id, tag ? strlen(tag) : SHORT_ID);
	journald_add(&j->fields, "SYSLOG_IDENTIFIER", tag ? tag : s->id, tag ? strlen(tag) : SHORT_ID);
	journald_add(&j->fields, "IMAGE_NAME", s->image ? s->image : "", s->image ? strlen(s->image) : 0);
	return log_new(&journal_sink, j);
}

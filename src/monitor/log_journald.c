/* log_journald.c - a log in systemd's journal, with the fields that Docker's driver has */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "instance/log_details.h"
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

/* --- the fields of every entry */

/* Docker's rule: capitals, digits and '_', which no name begins with. */
static char *field_name(const char *key, size_t n)
{
	struct buf name = { 0 };

	for (size_t i = 0; i < n; i++) {
		char c = key[i];

		if (c >= 'a' && c <= 'z')
			c = (char)(c - 'a' + 'A');
		else if ((c & 0xc0) == 0x80) /* not the first byte of its character */
			continue;
		else if (!(c >= 'A' && c <= 'Z') && !(c >= '0' && c <= '9'))
			c = '_';
		if (name.len || c != '_')
			buf_addc(&name, c);
	}
	return buf_take(&name);
}

/* Labels may be the image's: what Ketch itself says they do not say in its place. */
static bool is_own_field(const char *name)
{
	static const char *const own[] = { "MESSAGE", "PRIORITY", "SYSLOG_IDENTIFIER", "IMAGE_NAME" };

	for (size_t i = 0; i < ARRAY_LEN(own); i++)
		if (!strcmp(name, own[i]))
			return true;
	return !strncmp(name, "CONTAINER_", 10);
}

static int add_details(const struct instance_spec *s, struct buf *ret)
{
	AUTO(strv_done) struct strv pairs = { 0 };
	int r = log_details(s, &pairs);

	for (size_t i = 0; i < pairs.n && r == 0; i++) {
		const char *value = strchr(pairs.v[i], '=');
		autofree char *name =
			value ? field_name(pairs.v[i], (size_t)(value - pairs.v[i])) : strdup("");

		if (!name)
			return -ENOMEM;
		if (*name && !is_own_field(name))
			journald_add(ret, name, value + 1, strlen(value + 1));
	}
	return r;
}

int log_journald_fields(const struct instance_spec *s, struct buf *ret)
{
	autofree char *tag = log_tag_expand(s, s->log.tag && *s->log.tag ? s->log.tag : LOG_TAG_DEFAULT);

	if (!tag)
		return -ENOMEM;
	journald_add(ret, "CONTAINER_ID", s->id, SHORT_ID);
	journald_add(ret, "CONTAINER_ID_FULL", s->id, strlen(s->id));
	journald_add(ret, "CONTAINER_NAME", s->name, strlen(s->name));
	journald_add(ret, "CONTAINER_TAG", tag, strlen(tag));
	journald_add(ret, "SYSLOG_IDENTIFIER", tag, strlen(tag));
	journald_add(ret, "IMAGE_NAME", s->image ? s->image : "", s->image ? strlen(s->image) : 0);
	return add_details(s, ret);
}

struct log *log_open_journald(const struct instance_spec *s)
{
	struct log_journal *j = calloc(1, sizeof(*j));
	int r;

	if (!j)
		return NULL;
	j->fd = journald_connect(NULL);
	r = j->fd < 0 ? j->fd : log_journald_fields(s, &j->fields);
	if (r < 0) {
		journal_close(j);
		errno = -r;
		return NULL;
	}
	return log_new(&journal_sink, j);
}

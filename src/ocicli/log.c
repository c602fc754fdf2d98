/* log.c - --log: a file, or, in crun's words, systemd's journal or syslog */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <syslog.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/json.h"
#include "base/log.h"
#include "ocicli/ocicli.h"
#include "sys/journald.h"

struct log_line {
	char *level, *msg, *time;
};
static const struct jfield log_fields[] = {
	J(J_STR, struct log_line, level),
	J(J_STR, struct log_line, msg),
	J(J_STR, struct log_line, time),
	{ 0 },
};
static const struct jtable log_table = { sizeof(struct log_line), log_fields };

static int priority_of(const char *level)
{
	return !strcmp(level, "error") ? LOG_ERR : LOG_DEBUG;
}

static int to_file(const struct oci_globals *g, const char *path, const char *level, const char *msg)
{
	AUTO(buf_done) struct buf b = { 0 };
	autofree char *copy = strdup(msg), *word = strdup(level);
	char time[RFC3339_LEN];
	autoclose int fd = -1;

	rfc3339_format(clock_real_ns(), time);
	if (g->log_format && !strcmp(g->log_format, "json")) {
		struct log_line l = { word, copy, time };

		json_print(&log_table, &l, JSON_ALL, &b);
	} else {
		buf_addf(&b, "time=\"%s\" level=%s msg=", time, level);
		json_add_str(&b, msg);
	}
	buf_adds(&b, "\n");
	fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC | O_NOCTTY, 0644);
	if (fd < 0)
		return -errno;
	return buf_ok(&b) ? write_full(fd, b.data, b.len) : -ENOMEM;
}

static int to_journal(const char *name, const char *level, const char *msg)
{
	autoclose int fd = journald_connect(NULL);
	AUTO(buf_done) struct buf entry = { 0 };
	char digit = (char)('0' + priority_of(level));

	if (fd < 0)
		return fd;
	journald_add(&entry, "MESSAGE", msg, strlen(msg));
	journald_add(&entry, "PRIORITY", &digit, 1);
	journald_add(&entry, "SYSLOG_IDENTIFIER", name, strlen(name));
	return buf_ok(&entry) ? journald_send(fd, &entry) : -ENOMEM;
}

/* As syslog(3) writes it, which would bring the time zones of the host into this program. */
static int to_syslog(const char *name, const char *level, const char *msg)
{
	autofree char *line =
		str_printf("<%d>%s[%d]: %s", LOG_USER | priority_of(level), name, (int)getpid(), msg);
	struct sockaddr_un to = { .sun_family = AF_UNIX, .sun_path = _PATH_LOG };
	autoclose int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (!line)
		return -ENOMEM;
	if (fd < 0 || sendto(fd, line, strlen(line), MSG_DONTWAIT | MSG_NOSIGNAL, (struct sockaddr *)&to,
			     sizeof(to)) < 0)
		return -errno;
	return 0;
}

/* What is behind "NAME:", or NULL. */
static const char *behind(const char *text, const char *name)
{
	size_t n = strlen(name);

	return !strncmp(text, name, n) && text[n] == ':' ? text + n + 1 : NULL;
}

void oci_log(const struct oci_globals *g, const char *level, const char *msg)
{
	const char *journal = behind(g->log, "journald"), *system = behind(g->log, "syslog");
	const char *file = behind(g->log, "file");
	int r;

	if (journal)
		r = to_journal(journal, level, msg);
	else if (system)
		r = to_syslog(system, level, msg);
	else
		r = to_file(g, file ? file : g->log, level, msg);
	if (r < 0)
		log_error("--log %s: cannot be written", g->log);
}

void oci_debug(const struct oci_globals *g, const char *verb, const struct strv *words, const char *what)
{
	AUTO(buf_done) struct buf b = { 0 };

	if (!g->debug)
		return;
	buf_addf(&b, "%s", verb);
	for (size_t i = 0; i < words->n && i < 2; i++)
		buf_addf(&b, " %.80s", words->v[i]);
	buf_addf(&b, ": %s", what);
	if (!buf_ok(&b))
		return;
	if (g->log)
		oci_log(g, "debug", b.data);
	else
		fprintf(stderr, "ketch-oci: debug: %s\n", b.data);
}

/* request_log.c - --log-driver, --log-opt -> where the log of an instance is kept, and what beside it */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "engine/request_int.h"
#include "instance/log_details.h"
#include "sys/journald.h"

#define BIT(driver)  (1U << (driver))
#define FILES	     (BIT(LOG_JSON_FILE) | BIT(LOG_LOCAL) | BIT(LOG_K8S_FILE))
#define WITH_DETAILS (BIT(LOG_JSON_FILE) | BIT(LOG_JOURNALD)) /* local has none in Docker, either */

/* An option that drivers have; `at` is where its text is kept, or 0. */
struct log_option {
	const char *name;
	unsigned drivers; /* as bits */
	int (*take)(const struct log_option *o, const char *text, struct log_spec *l, struct err *e);
	size_t at;
};

static int take_driver(const char *name, struct log_spec *l, struct err *e)
{
	for (int i = 0; name && *name && log_driver_names[i]; i++) {
		if (strcmp(name, log_driver_names[i]))
			continue;
		l->driver = i;
		return 0;
	}
	if (!name || !*name)
		return 0;
	return err_set(
		e, EINVAL,
		"--log-driver: '%.60s' is not known: there are json-file (a file of Ketch's, as are local "
		"and k8s-file), journald and none",
		name);
}

static int take_size(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	if (!strcmp(text, "-1"))
		return 0;
	if (parse_bytes(text, &l->max_bytes) < 0 || l->max_bytes < 1024 || l->max_bytes > INT64_MAX)
		return err_set(e, EINVAL, "--log-opt max-size: '%.60s' is not a size from 1k on", text);
	return 0;
}

static int take_files(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	if (parse_u32(text, &l->max_files) < 0 || !l->max_files || l->max_files > LOG_FILES_MAX)
		return err_set(e, EINVAL, "--log-opt max-file: '%.60s' is not a number from 1 to %d", text,
			       LOG_FILES_MAX);
	return 0;
}

/* What older files are is what they stay: `logs -n` reads them from their ends. */
static int take_compress(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	if (!strcmp(text, "false"))
		return 0;
	return err_set(
		e, ENOTSUP,
		"--log-opt compress: log files stay as they are written, so that logs -n can read them from "
		"their ends; max-size and max-file keep them small");
}

static int take_mode(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	bool waits = l->driver != LOG_JOURNALD;

	if (!strcmp(text, waits ? "blocking" : "non-blocking"))
		return 0;
	if (strcmp(text, waits ? "non-blocking" : "blocking") != 0)
		return err_set(e, EINVAL, "--log-opt mode: '%.60s' must be blocking or non-blocking", text);
	if (waits)
		return err_set(
			e, ENOTSUP,
			"--log-opt mode=non-blocking: a log in files loses no line, so what is written waits "
			"for the disk; journald and none wait for nothing");
	return err_set(
		e, ENOTSUP,
		"--log-opt mode=blocking: nothing waits for journald, which may lose lines; a log in files "
		"does not");
}

static int refuse_buffer(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	return err_set(e, ENOTSUP, "--log-opt max-buffer-size: no buffer is between an instance and its log");
}

static int take_text(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	char **at = (char **)(void *)((char *)l + o->at);

	free(*at);
	*at = strdup(text);
	return *at ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_regex(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	if (log_regex_check(text) < 0)
		return err_set(e, EINVAL, "--log-opt %s: '%.60s' is no regular expression (POSIX, extended)",
			       o->name, text);
	return take_text(o, text, l, e);
}

static int take_tag(const struct log_option *o, const char *text, struct log_spec *l, struct err *e)
{
	const char *bad;

	if (log_tag_check(text, &bad) < 0)
		return err_set(
			e, EINVAL,
			"--log-opt tag: '%.40s' is not known: there are {{.ID}}, {{.FullID}}, {{.Name}}, "
			"{{.ImageName}}, {{.ImageID}}, {{.ImageFullID}} and {{.DaemonName}}",
			bad);
	return take_text(o, text, l, e);
}

static const struct log_option options[] = {
	{ "compress", FILES, take_compress, 0 },
	{ "env", WITH_DETAILS, take_text, offsetof(struct log_spec, env) },
	{ "env-regex", WITH_DETAILS, take_regex, offsetof(struct log_spec, env_regex) },
	{ "labels", WITH_DETAILS, take_text, offsetof(struct log_spec, labels) },
	{ "labels-regex", WITH_DETAILS, take_regex, offsetof(struct log_spec, labels_regex) },
	{ "max-buffer-size", FILES | BIT(LOG_JOURNALD), refuse_buffer, 0 },
	{ "max-file", FILES, take_files, 0 },
	{ "max-size", FILES, take_size, 0 },
	{ "mode", FILES | BIT(LOG_JOURNALD), take_mode, 0 },
	{ "tag", WITH_DETAILS, take_tag, offsetof(struct log_spec, tag) },
};

static int take_option(const char *option, struct log_spec *l, struct err *e)
{
	const char *eq = strchr(option, '=');
	size_t n = eq ? (size_t)(eq - option) : 0;

	for (size_t i = 0; i < ARRAY_LEN(options); i++) {
		const struct log_option *o = &options[i];

		if (strlen(o->name) != n || memcmp(o->name, option, n) != 0)
			continue;
		if (!(o->drivers & BIT(l->driver)))
			return err_set(e, EINVAL, "--log-opt %s: log driver %s has no such option", o->name,
				       log_driver_names[l->driver]);
		return o->take(o, eq + 1, l, e);
	}
	return err_set(e, EINVAL,
		       "--log-opt: '%.60s' must be max-size=, max-file=, labels=, labels-regex=, env=, "
		       "env-regex= or "
		       "tag=",
		       option);
}

int request_log(const char *driver, const struct strv *given, struct log_spec *l, struct err *e)
{
	int r = take_driver(driver, l, e);

	for (size_t i = 0; i < given->n && r == 0; i++)
		r = take_option(given->v[i], l, e);
	if (r == 0 && l->max_files > 1 && !l->max_bytes)
		r = err_set(e, EINVAL,
			    "--log-opt max-file: needs max-size, behind which a file is begun anew");
	if (r == 0 && l->driver == LOG_JOURNALD && !journald_is_there())
		r = err_set(e, ENOENT, "--log-driver journald: there is no journald here (%s)",
			    JOURNALD_SOCKET);
	return r;
}

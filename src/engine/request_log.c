/* request_log.c - --log-driver, --log-opt -> where the log of an instance is kept */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "engine/request_int.h"
#include "sys/journald.h"

static bool is_file(const struct log_spec *l)
{
	return l->driver != LOG_JOURNALD && l->driver != LOG_NONE;
}

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

static int take_size(const char *text, struct log_spec *l, struct err *e)
{
	if (!is_file(l))
		return err_set(e, EINVAL, "--log-opt max-size: only files have one");
	if (!strcmp(text, "-1"))
		return 0;
	if (parse_bytes(text, &l->max_bytes) < 0 || l->max_bytes < 1024 || l->max_bytes > INT64_MAX)
		return err_set(e, EINVAL, "--log-opt max-size: '%.60s' is not a size from 1k on", text);
	return 0;
}

static int take_files(const char *text, struct log_spec *l, struct err *e)
{
	if (!is_file(l))
		return err_set(e, EINVAL, "--log-opt max-file: only files have that");
	if (parse_u32(text, &l->max_files) < 0 || !l->max_files || l->max_files > LOG_FILES_MAX)
		return err_set(e, EINVAL, "--log-opt max-file: '%.60s' is not a number from 1 to %d", text,
			       LOG_FILES_MAX);
	return 0;
}

static int take_tag(const char *text, struct log_spec *l, struct err *e)
{
	if (l->driver != LOG_JOURNALD)
		return err_set(e, EINVAL, "--log-opt tag: only journald keeps one");
	free(l->tag);
	l->tag = strdup(text);
	return l->tag ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int take_option(const char *option, struct log_spec *l, struct err *e)
{
	static const struct {
		const char *name;
		int (*take)(const char *text, struct log_spec *l, struct err *e);
	} options[] = { { "max-size", take_size }, { "max-file", take_files }, { "tag", take_tag } };
	const char *eq = strchr(option, '=');

	for (size_t i = 0; eq && i < ARRAY_LEN(options); i++)
		if (strlen(options[i].name) == (size_t)(eq - option) &&
		    !strncmp(option, options[i].name, (size_t)(eq - option)))
			return options[i].take(eq + 1, l, e);
	return err_set(e, EINVAL, "--log-opt: '%.60s' must be max-size=, max-file= or tag=", option);
}

int request_log(const char *driver, const struct strv *options, struct log_spec *l, struct err *e)
{
	int r = take_driver(driver, l, e);

	for (size_t i = 0; i < options->n && r == 0; i++)
		r = take_option(options->v[i], l, e);
	if (r == 0 && l->max_files > 1 && !l->max_bytes)
		r = err_set(e, EINVAL,
			    "--log-opt max-file: needs max-size, behind which a file is begun anew");
	if (r == 0 && l->driver == LOG_JOURNALD && !journald_is_there())
		r = err_set(e, ENOENT, "--log-driver journald: there is no journald here (%s)",
			    JOURNALD_SOCKET);
	return r;
}

/* settings.c - what configuration files and the environment say */
#include "cli/settings.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"
#include "cli/cli.h"
#include "cli/colour.h"
#include "cli/detach_keys.h"
#include "cli/run_options.h"
#include "opts/conf.h"
#include "opts/suggest.h"

static int check_detach_keys(const char *value, struct err *e)
{
	struct detach_keys keys;

	return detach_keys_parse(value, &keys, e);
}

const struct setting_kind setting_kinds[] = {
	{ "colour", colour_opts, "Colours: auto (on a terminal), always or never; NO_COLOR goes before it",
	  NULL },
	{ "cpus", RUN_OPTS, "CPUs of an instance, when --cpus is not given" },
	{ "detach-keys", RUN_OPTS, "Keys that part a terminal from its instance; default ctrl-p,ctrl-q",
	  check_detach_keys },
	{ "driver", RUN_OPTS, "Hypervisor of virtual machines: kvm or qemu" },
	{ "isolation", RUN_OPTS, "The wall around an instance: container, vm or auto" },
	{ "kernel", RUN_OPTS, "Guest kernel of virtual machines (see ketch kernel ls)" },
	{ "log-driver", RUN_OPTS, "Where the log of an instance goes, when --log-driver is not given" },
	{ "memory", RUN_OPTS, "Memory limit of an instance, such as 512m" },
	{ "pids-limit", RUN_OPTS, "Limit of processes and threads; -1: none" },
	{ "profile", RUN_OPTS, "Profiles of an instance, when --profile is not given; NAME[,NAME]" },
	{ "publish-address", RUN_OPTS,
	  "Address of the host that -p means, when it names none; default 127.0.0.1" },
	{ "root", global_opts, "Directory of images and instances; default /var/lib/ketch" },
	{ "run-root", global_opts, "Directory of what runs; default /run/ketch" },
	{ 0 },
};

/* --- one value */

static const struct setting_kind *find_kind(const char *key)
{
	for (const struct setting_kind *k = setting_kinds; k->key; k++)
		if (!strcmp(k->key, key))
			return k;
	return NULL;
}

static int unknown_key(const char *key, struct err *e)
{
	struct suggest near = { .want = key };

	for (const struct setting_kind *k = setting_kinds; k->key; k++)
		suggest_try(&near, k->key);
	if (near.best)
		return err_set(e, EINVAL, "unknown key: %.80s (did you mean %s?)", key, near.best);
	return err_set(e, EINVAL, "unknown key: %.80s (ketch.conf(5) lists them)", key);
}

/* By the parser of the option. */
static int check_value(const struct setting_kind *k, const char *value, struct err *e)
{
	union {
		struct run_args run;
		struct global_args global;
	} scratch = { 0 };
	int r = opts_set(k->opts, k->key, value, &scratch, e);

	opts_done(k->opts, &scratch);
	return r == 0 && k->check ? k->check(value, e) : r;
}

static int set(struct strv *values, const char *key, const char *value, struct err *e)
{
	const struct setting_kind *k = find_kind(key);
	autofree char *pair = str_printf("%s=%s", key, value);
	int r = k ? check_value(k, value, e) : unknown_key(key, e);

	if (r == 0 && (!pair || strv_env_set(values, pair) < 0))
		r = err_set(e, ENOMEM, "out of memory");
	return r;
}

/* --- files */

static int take_pair(void *arg, const char *key, const char *value, struct err *e)
{
	struct strv *file = arg;

	if (strv_env_get(file, key))
		return err_set(e, EINVAL, "%s is set twice", key);
	return set(file, key, value, e);
}

/* A later file goes before what is in s.  -EACCES: it may not be read, and nothing else. */
static int read_one(struct settings *s, const char *path, bool must, struct err *e)
{
	AUTO(strv_done) struct strv values = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	int r = read_file(AT_FDCWD, path, CONF_MAX, &text);

	if ((r == -ENOENT || r == -ENOTDIR) && !must)
		return 0;
	if (r < 0)
		return err_sys(e, -r, "%s", path);
	r = conf_parse(path, text.data, text.len, take_pair, &values, e);
	for (size_t i = 0; i < values.n && r == 0; i++)
		if (strv_env_set(&s->values, values.v[i]) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	return r;
}

static int is_conf(const struct dirent *d)
{
	size_t n = strlen(d->d_name);

	return n > 5 && d->d_name[0] != '.' && !strcmp(d->d_name + n - 5, ".conf");
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

static int read_directory(struct settings *s, const char *path, struct err *e)
{
	struct dirent **names;
	int n = scandir(path, &names, is_conf, compare_names), r = 0;

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, errno, "%s", path);
	for (int i = 0; i < n; i++) {
		autofree char *file = str_printf("%s/%s", path, names[i]->d_name);

		if (r == 0)
			r = file ? read_one(s, file, true, e) : err_set(e, ENOMEM, "out of memory");
		free(names[i]);
	}
	free(names);
	return r;
}

/* The file of the user's own need not be within reach of whoever runs a command with the user's home, such as a service or
 * sudo: that is told, and as if there were none, as Docker does with its config.json. */
static int read_user(struct settings *s, struct err *e)
{
	const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	autofree char *path = NULL;
	int r;

	if (config && *config == '/')
		path = str_printf("%s/ketch/ketch.conf", config);
	else if (home && *home == '/')
		path = str_printf("%s/.config/ketch/ketch.conf", home);
	else
		return 0;
	if (!path)
		return err_set(e, ENOMEM, "out of memory");
	r = read_one(s, path, false, e);
	if (r == -EACCES) {
		log_warn("%s: the file is left out", e->msg);
		*e = (struct err){ 0 };
		r = 0;
	}
	return r;
}

static int read_files(const char *etc, struct settings *s, struct err *e)
{
	autofree char *file = str_printf("%s/ketch.conf", etc), *dir = str_printf("%s/ketch.conf.d", etc);
	const char *instead = getenv("KETCH_CONFIG");
	int r;

	if (instead)
		return *instead ? read_one(s, instead, true, e) : 0;
	if (!file || !dir)
		return err_set(e, ENOMEM, "out of memory");
	r = read_one(s, file, false, e);
	if (r == 0)
		r = read_directory(s, dir, e);
	return r < 0 ? r : read_user(s, e);
}

/* --- the environment */

static int read_variables(struct settings *s, struct err *e)
{
	for (const struct setting_kind *k = setting_kinds; k->key; k++) {
		autofree char *name = str_printf("KETCH_%s", k->key);
		const char *value;
		int r;

		if (!name)
			return err_set(e, ENOMEM, "out of memory");
		for (char *p = name; *p; p++)
			*p = (char)(*p == '-' ? '_' : *p >= 'a' && *p <= 'z' ? *p - 'a' + 'A' : *p);
		value = getenv(name);
		r = value && *value ? set(&s->values, k->key, value, e) : 0;
		if (r < 0)
			return err_wrap(e, r, "%s", name);
	}
	return 0;
}

int settings_read(const char *etc, struct settings *ret, struct err *e)
{
	struct settings s = { 0 };
	int r = read_files(etc, &s, e);

	if (r == 0)
		r = read_variables(&s, e);
	if (r < 0)
		settings_done(&s);
	else
		*ret = s;
	return r;
}

void settings_done(struct settings *s)
{
	strv_done(&s->values);
}

const char *settings_get(const struct settings *s, const char *key)
{
	return strv_env_get(&s->values, key);
}

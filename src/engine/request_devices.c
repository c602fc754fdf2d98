/* request_devices.c - --device and --device-cgroup-rule: device nodes of the host that the inside gets
 *
 * What a path is may change between `create` and `start`, when devices come and go: so it is looked at in both.
 */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/auto.h"
#include "cgroup/devices.h"
#include "engine/request_int.h"

#define MAX_DEVICES 1024
#define MAX_DEPTH   4 /* directories below one that was asked for */

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

int request_device_look(struct device_spec *d, struct err *e)
{
	struct stat st;

	if (stat(d->source, &st) < 0)
		return err_sys(e, errno, "--device: %.200s", d->source);
	if (!S_ISCHR(st.st_mode) && !S_ISBLK(st.st_mode))
		return err_set(e, ENODEV, "--device: %.200s is not a device", d->source);
	free(d->type);
	d->type = strdup(S_ISCHR(st.st_mode) ? "c" : "b");
	d->major = major(st.st_rdev);
	d->minor = minor(st.st_rdev);
	d->mode = st.st_mode & 0777;
	d->uid = st.st_uid;
	d->gid = st.st_gid;
	return d->type ? 0 : no_memory(e);
}

static int add_device(struct sandbox *b, const char *source, const char *target, const char *access,
		      struct err *e)
{
	struct device_spec *all = reallocarray(b->devices, b->n_devices + 1, sizeof(*all)), *d;

	if (!all)
		return no_memory(e);
	if (b->n_devices >= MAX_DEVICES)
		return err_set(e, E2BIG, "--device: more than %d devices", MAX_DEVICES);
	b->devices = all;
	d = &all[b->n_devices++];
	*d = (struct device_spec){ .source = strdup(source),
				   .target = strdup(target),
				   .access = strdup(access) };
	return d->source && d->target && d->access ? request_device_look(d, e) : no_memory(e);
}

/* Of a directory, such as /dev/snd, every device in it. */
static int add_path(struct sandbox *b, const char *source, const char *target, const char *access, int depth,
		    struct err *e)
{
	struct stat st;
	struct dirent *de;
	DIR *dir;
	int r = 0;

	if (stat(source, &st) < 0 || !S_ISDIR(st.st_mode))
		return add_device(b, source, target, access, e);
	dir = depth ? opendir(source) : NULL;
	if (!dir)
		return err_sys(e, depth ? errno : ELOOP, "--device: %.200s", source);
	while (r == 0 && (de = readdir(dir))) {
		autofree char *from = str_printf("%s/%s", source, de->d_name);
		autofree char *to = str_printf("%s/%s", target, de->d_name);

		if (de->d_name[0] == '.')
			continue;
		if (!from || !to)
			r = no_memory(e);
		else if (lstat(from, &st) == 0 &&
			 (S_ISDIR(st.st_mode) || S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)))
			r = add_path(b, from, to, access, depth - 1, e);
	}
	closedir(dir);
	return r;
}

static bool is_access(const char *s)
{
	return *s && strlen(s) <= 3 && strspn(s, "rwm") == strlen(s);
}

static bool is_clean(const char *path)
{
	size_t n = strlen(path);

	return *path == '/' && path[n - 1] != '/' && !strstr(path, "/../") && !strstr(path, "/./") &&
	       !strstr(path, "//") && (n < 3 || strcmp(path + n - 3, "/..") != 0);
}

/* "/dev/a", "/dev/a:/dev/b", "/dev/a:rw", "/dev/a:/dev/b:rw" */
static int take_device(struct sandbox *b, const char *text, struct err *e)
{
	AUTO(strv_done) struct strv part = { 0 };
	const char *target, *access = "rwm";

	if (strv_split(&part, text, ":") < 0)
		return no_memory(e);
	target = part.v[0];
	if (part.n == 2 && is_access(part.v[1]))
		access = part.v[1];
	else if (part.n > 1)
		target = part.v[1];
	if (part.n > 2)
		access = part.v[2];
	if (part.n > 3 || !is_clean(part.v[0]) || !is_clean(target))
		return err_set(e, EINVAL, "--device: '%.200s' is not PATH[:PATH[:rwm]] with absolute paths",
			       text);
	if (!is_access(access))
		return err_set(e, EINVAL, "--device: invalid access '%.40s': letters of rwm are wanted",
			       access);
	return add_path(b, part.v[0], target, access, MAX_DEPTH, e);
}

int request_devices(const struct sandbox_request *rq, struct sandbox *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < rq->devices.n && r == 0; i++)
		r = take_device(b, rq->devices.v[i], e);
	for (size_t i = 0; i < rq->device_rules.n && r == 0; i++) {
		struct device_rule rule;

		if (device_rule_parse(rq->device_rules.v[i], &rule) < 0 || rule.forbid)
			return err_set(e, EINVAL,
				       "--device-cgroup-rule: '%.80s' is not a rule such as 'c 10:200 rwm'",
				       rq->device_rules.v[i]);
		if (strv_add(&b->device_rules, rq->device_rules.v[i]) < 0)
			return no_memory(e);
	}
	return r;
}

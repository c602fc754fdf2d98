/* below.c - exec --cgroup: cgroups below those of a container, as runc's "[CONTROLLER[,CONTROLLER...]:]PATH" names them */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "cgroup/ops.h"

static bool leads_up(const char *path)
{
	for (const char *p = path; *p; p += strspn(p, "/")) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			return true;
		p += n;
	}
	return false;
}

/* Every entry of the record that has this directory: hierarchies can be shared ("cpu,cpuacct"). */
static int move(struct strv *record, const char *dir, const char *path, struct err *e)
{
	autofree char *below = str_printf("%s/%s", dir, path + strspn(path, "/"));

	if (!below)
		return err_set(e, ENOMEM, "out of memory");
	if (leads_up(path))
		return err_set(e, EINVAL, "--cgroup: %.200s is not a sub cgroup path", path);
	if (access(below, F_OK) < 0)
		return err_sys(e, errno, "--cgroup: %.200s", below);
	for (size_t i = 0; i < record->n; i++) {
		char *eq = strchr(record->v[i], '='), *entry;

		if (!eq || strcmp(eq + 1, dir))
			continue;
		entry = str_printf("%.*s=%s", (int)(eq - record->v[i]), record->v[i], below);
		if (!entry)
			return err_set(e, ENOMEM, "out of memory");
		free(record->v[i]);
		record->v[i] = entry;
	}
	return 0;
}

static int move_all(const struct strv *from, const char *path, struct strv *record, struct err *e)
{
	AUTO(strv_done) struct strv dirs = { 0 };
	int r = cgroup_record_dirs(from, &dirs);

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < dirs.n && r == 0; i++)
		r = move(record, dirs.v[i], path, e);
	return r;
}

static int move_some(const struct strv *from, const char *word, struct strv *record, struct err *e)
{
	const char *colon = strchr(word, ':');
	autofree char *list = strndup(word, (size_t)(colon - word));
	AUTO(strv_done) struct strv names = { 0 };
	int r = 0;

	if (!list || strv_split(&names, list, ",") < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (!names.n || strchr(colon + 1, ':'))
		return err_set(e, EINVAL, "--cgroup: invalid argument: %.200s", word);
	for (size_t i = 0; i < names.n && r == 0; i++) {
		const char *dir = strv_env_get(from, names.v[i]);

		if (!dir || *dir != '/' || !strcmp(names.v[i], "unified"))
			return err_set(e, EINVAL, "--cgroup: unknown controller %.40s", names.v[i]);
		if (!strcmp(dir, strv_env_get(record, names.v[i]))) /* not yet moved with another one */
			r = move(record, dir, colon + 1, e);
	}
	return r;
}

int cgroup_record_below(const struct strv *record, const struct strv *words, struct strv *ret, struct err *e)
{
	AUTO(strv_done) struct strv moved = { 0 };
	int r = strv_copy(&moved, record);

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < words->n && r == 0; i++) {
		if (strchr(words->v[i], ':'))
			r = move_some(record, words->v[i], &moved, e);
		else if (words->n > 1)
			r = err_set(e, EINVAL, "--cgroup: invalid argument: %.200s (missing CONTROLLER:)",
				    words->v[i]);
		else
			r = move_all(record, words->v[i], &moved, e);
	}
	if (r < 0)
		return r;
	*ret = moved;
	moved = (struct strv){ 0 };
	return 0;
}

/* run_profile.c - stored sets of run's flags: one file each */
#include "cli/run_profile.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/json.h"
#include "base/parse.h"

#define DIRECTORY   "profiles"
#define SUFFIX	    ".json"
#define MAX_PROFILE (1 << 20) /* bytes of a file */

static const struct jfield profile_fields[] = {
	JR(J_STRV, struct run_profile, flags, "flags"),
	{ 0 },
};
static const struct jtable profile_table = { sizeof(struct run_profile), profile_fields, .closed = true };

static int no_memory(struct err *e)
{
	return err_set(e, ENOMEM, "out of memory");
}

static int no_such(const char *name, struct err *e)
{
	return err_set(e, ENOENT, "no such profile: %.80s", name);
}

static int open_directory(const char *root)
{
	autofree char *path = str_printf("%s/" DIRECTORY, root);
	int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;

	if (!path)
		return -ENOMEM;
	return fd < 0 ? -errno : fd;
}

/* "NAME.json"; a name is one component of a path. */
static int file_name(const char *name, char **ret, struct err *e)
{
	if (!is_instance_name(name))
		return err_set(e, EINVAL,
			       "invalid profile name: \"%.80s\" (letters, digits and _ . -, two characters "
			       "at least)",
			       name);
	*ret = str_printf("%s" SUFFIX, name);
	return *ret ? 0 : no_memory(e);
}

void run_profile_done(struct run_profile *p)
{
	free(p->name);
	strv_done(&p->flags);
	*p = (struct run_profile){ 0 };
}

void run_profiles_free(struct run_profile *p, size_t n)
{
	for (size_t i = 0; i < n; i++)
		run_profile_done(&p[i]);
	free(p);
}

static int read_from(int dir, const char *name, struct run_profile *ret, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	autofree char *file = NULL;
	struct run_profile p = { 0 };
	int r = file_name(name, &file, e);

	if (r < 0)
		return r;
	r = read_file(dir, file, MAX_PROFILE, &text);
	if (r < 0)
		return r == -ENOENT ? no_such(name, e) : err_sys(e, -r, "profile %s", name);
	r = json_parse(&profile_table, text.data, text.len, 0, &p, e);
	if (r < 0)
		return err_wrap(e, r, "profile %s", name);
	p.name = strdup(name);
	if (!p.name) {
		run_profile_done(&p);
		return no_memory(e);
	}
	*ret = p;
	return 0;
}

int run_profile_read(const char *root, const char *name, struct run_profile *ret, struct err *e)
{
	autoclose int dir = open_directory(root);

	if (dir < 0)
		return dir == -ENOENT ? no_such(name, e) : err_sys(e, -dir, "%s/" DIRECTORY, root);
	return read_from(dir, name, ret, e);
}

static int is_profile(const struct dirent *d)
{
	size_t n = strlen(d->d_name), suffix = strlen(SUFFIX);

	return n > suffix && d->d_name[0] != '.' && !strcmp(d->d_name + n - suffix, SUFFIX);
}

static int compare_names(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int run_profile_list(const char *root, struct run_profile **ret, size_t *ret_n, struct err *e)
{
	autoclose int dir = open_directory(root);
	struct dirent **names;
	struct run_profile *list;
	size_t n = 0;
	int count, r = 0;

	*ret = NULL;
	*ret_n = 0;
	if (dir < 0)
		return dir == -ENOENT ? 0 : err_sys(e, -dir, "%s/" DIRECTORY, root);
	count = scandirat(dir, ".", &names, is_profile, compare_names);
	if (count < 0)
		return err_sys(e, errno, "%s/" DIRECTORY, root);
	list = calloc((size_t)count + 1, sizeof(*list));
	if (!list)
		r = no_memory(e);
	for (int i = 0; i < count; i++) {
		names[i]->d_name[strlen(names[i]->d_name) - strlen(SUFFIX)] = '\0';
		if (r == 0)
			r = read_from(dir, names[i]->d_name, &list[n], e);
		n += r == 0;
		free(names[i]);
	}
	free(names);
	if (r < 0) {
		run_profiles_free(list, n);
		return r;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

int run_profile_write(const char *root, const struct run_profile *p, struct err *e)
{
	autofree char *path = str_printf("%s/" DIRECTORY, root), *file = NULL;
	AUTO(buf_done) struct buf text = { 0 };
	autoclose int dir = -1;
	int r = file_name(p->name, &file, e);

	if (r < 0)
		return r;
	if (!path || json_print(&profile_table, p, JSON_ALL, &text) < 0)
		return no_memory(e);
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return err_sys(e, errno, "%s", path);
	dir = open_directory(root);
	if (dir < 0)
		return err_sys(e, -dir, "%s", path);
	if (faccessat(dir, file, F_OK, 0) == 0)
		return err_set(e, EEXIST, "profile %s exists already: ketch profile rm %s removes it",
			       p->name, p->name);
	r = write_file_atomic(dir, file, 0600, text.data, text.len);
	return r < 0 ? err_sys(e, -r, "profile %s", p->name) : 0;
}

int run_profile_remove(const char *root, const char *name, struct err *e)
{
	autoclose int dir = open_directory(root);
	autofree char *file = NULL;
	int r = file_name(name, &file, e);

	if (r < 0)
		return r;
	if (dir < 0)
		return dir == -ENOENT ? no_such(name, e) : err_sys(e, -dir, "%s/" DIRECTORY, root);
	if (unlinkat(dir, file, 0) == 0)
		return 0;
	return errno == ENOENT ? no_such(name, e) : err_sys(e, errno, "profile %s", name);
}

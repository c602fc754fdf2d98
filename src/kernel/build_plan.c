/* build_plan.c - what a build of a kernel needs, and the commands that it is made of */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "kernel/build_int.h"
#include "kernel/embedded.h"

#define PACKAGE	       "linux-source-6.1"
#define PACKAGE_SOURCE "/usr/src/" PACKAGE ".tar.xz"
#define SEARCHED       "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define INCLUDE	       "/usr/include"

/* --- the source */

void build_source_done(struct build_source *s)
{
	free(s->path);
	free(s->identity);
	*s = (struct build_source){ 0 };
}

static int check_tree(const char *path, struct err *e)
{
	static const char *const parts[] = { "Makefile", "Kconfig", "scripts" };
	autoclose int fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	for (size_t i = 0; i < ARRAY_LEN(parts); i++)
		if (faccessat(fd, parts[i], R_OK, 0) < 0)
			return err_set(e, EINVAL, "%s is no source of Linux: it has no %s", path, parts[i]);
	/* make refuses it, too, with many more words */
	if (faccessat(fd, ".config", F_OK, 0) == 0)
		return err_set(e, EINVAL, "%s was built in; clean it with: make -C %s mrproper", path, path);
	return 0;
}

int build_source_find(const char *given, struct build_source *ret, struct err *e)
{
	autofree char *path = realpath(given ? given : PACKAGE_SOURCE, NULL);
	struct stat st;

	if (!path && !given && errno == ENOENT)
		return err_set(e, ENOENT,
			       "there is no source of a kernel; get it with: apt-get install " PACKAGE
			       ", or name one with --source");
	if (!path || stat(path, &st) < 0)
		return err_sys(e, errno, "%s", given ? given : PACKAGE_SOURCE);
	if (S_ISDIR(st.st_mode)) {
		int r = check_tree(path, e);

		if (r == 0)
			*ret = (struct build_source){ .path = take_ptr(path), .is_dir = true };
		return r;
	}
	if (!S_ISREG(st.st_mode))
		return err_set(e, EINVAL, "%s is neither a directory nor an archive", path);
	ret->identity = str_printf("%s %lld bytes of %lld.%09ld, config %s\n", path, (long long)st.st_size,
				   (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, embedded_kconfig_digest);
	if (!ret->identity)
		return err_set(e, ENOMEM, "out of memory");
	ret->path = take_ptr(path);
	ret->is_dir = false;
	return 0;
}

/* --- tools */

struct tool {
	const char *name, *package;
};

static const struct tool programs[] = {
	{ "make", "make" }, { "gcc", "gcc" },  { "ld", "binutils" }, { "flex", "flex" }, { "bison", "bison" },
	{ "bc", "bc" },	    { "lz4c", "lz4" }, { "perl", "perl" },   { "tar", "tar" },	 { "xz", "xz-utils" },
};

static const struct tool headers[] = {
	{ "stdio.h", "libc6-dev" }, { "gelf.h", "libelf-dev" }, /* objtool */
};

static bool is_in_path(const char *path, const char *name)
{
	AUTO(strv_done) struct strv dirs = { 0 };

	if (strv_split(&dirs, path, ":") < 0)
		return false;
	for (size_t i = 0; i < dirs.n; i++) {
		autofree char *file = str_printf("%s/%s", dirs.v[i], name);

		if (file && access(file, X_OK) == 0)
			return true;
	}
	return false;
}

static int add_once(struct strv *s, const char *package)
{
	return strv_has(s, package) ? 0 : strv_add(s, package);
}

int build_missing(const struct build_source *s, const char *path, const char *include,
		  struct strv *ret_packages)
{
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(programs) && r == 0; i++) {
		const bool unpacks = !strcmp(programs[i].name, "tar") || !strcmp(programs[i].name, "xz");

		if (!(unpacks && s->is_dir) && !is_in_path(path, programs[i].name))
			r = add_once(ret_packages, programs[i].package);
	}
	for (size_t i = 0; i < ARRAY_LEN(headers) && r == 0; i++) {
		autofree char *file = str_printf("%s/%s", include, headers[i].name);

		if (!file || access(file, R_OK) < 0)
			r = add_once(ret_packages, headers[i].package);
	}
	return r;
}

int build_check_tools(const struct build_source *s, struct err *e)
{
	AUTO(strv_done) struct strv packages = { 0 };
	AUTO(buf_done) struct buf words = { 0 };

	if (build_missing(s, SEARCHED, INCLUDE, &packages) < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (!packages.n)
		return 0;
	for (size_t i = 0; i < packages.n; i++)
		buf_addf(&words, " %s", packages.v[i]);
	return err_set(e, ENOENT, "to build a kernel, first: apt-get install%s",
		       buf_ok(&words) ? words.data : "");
}

/* --- commands */

static int add_words(struct strv *ret, const char *const *words)
{
	int r = 0;

	for (; *words && r == 0; words++)
		r = strv_add(ret, *words);
	return r;
}

int build_plan_unpack(const struct build_source *s, const char *dir, struct strv *ret)
{
	static const char *const words[] = { "tar", "--no-same-owner", "--strip-components=1", "-x", NULL };
	int r = add_words(ret, words);

	if (r == 0)
		r = strv_addf(ret, "--directory=%s/" BUILD_SOURCE, dir);
	return r < 0 ? r : strv_addf(ret, "--file=%s", s->path);
}

static int plan_make(const struct build_source *s, const char *dir, struct strv *ret)
{
	/* who and where of a build would make every kernel another one */
	static const char *const words[] = { "ARCH=x86_64", "KBUILD_BUILD_USER=ketch",
					     "KBUILD_BUILD_HOST=ketch", NULL };
	int r = strv_add(ret, "make");

	if (r == 0)
		r = strv_add(ret, "-C");
	if (r == 0)
		r = s->is_dir ? strv_add(ret, s->path) : strv_addf(ret, "%s/" BUILD_SOURCE, dir);
	if (r == 0)
		r = strv_addf(ret, "O=%s/" BUILD_OBJECTS, dir);
	return r < 0 ? r : add_words(ret, words);
}

/* What scripts/kconfig/merge_config.sh does when there is one file to merge: all that it does not name is off. */
int build_plan_configure(const struct build_source *s, const char *dir, struct strv *ret)
{
	int r = plan_make(s, dir, ret);

	if (r == 0)
		r = strv_addf(ret, "KCONFIG_ALLCONFIG=%s/" BUILD_CONFIG, dir);
	return r < 0 ? r : strv_add(ret, "allnoconfig");
}

int build_plan_compile(const struct build_source *s, const char *dir, unsigned jobs, struct strv *ret)
{
	int r = plan_make(s, dir, ret);

	if (r == 0)
		r = strv_addf(ret, "-j%u", jobs);
	return r < 0 ? r : strv_add(ret, "bzImage");
}

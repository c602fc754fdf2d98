/* build_place.c - where a kernel is built
 *
 * That is ROOT/kernels/.build, which is locked by the build that lives; what one that was killed has left there goes
 * with the next build, import or removal.  Its log is ROOT/kernels/build.log, which stays when it fails.  With --keep
 * both are in a directory of the user's, and stay.
 *
 *	source		what the archive holds; a directory is built from where it is, and not written to
 *	objects		.config, then arch/x86/boot/bzImage and modules.builtin
 *	modules		these two lists, and notes: what the import gets
 *	tmp		files of the compiler
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/path.h"
#include "kernel/build_int.h"
#include "kernel/kernel_int.h"

#define WORK_DIR ".build"
#define LOG	 "build.log"

static bool is_empty_dir(int fd)
{
	DIR *d = fdopendir(openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
	unsigned n = 0;

	while (d && readdir(d))
		n++;
	if (d)
		closedir(d);
	return n == 2; /* "." and ".." */
}

static int open_kept(struct build_place *p, const char *keep, struct err *e)
{
	p->dir_fd = mkdir_open(AT_FDCWD, keep, 0755);
	if (p->dir_fd < 0)
		return err_sys(e, -p->dir_fd, "%s", keep);
	if (!is_empty_dir(p->dir_fd))
		return err_set(e, EEXIST, "%s is not empty", keep);
	p->dir = realpath(keep, NULL);
	p->log = p->dir ? str_printf("%s/" LOG, p->dir) : NULL;
	return p->log ? 0 : err_sys(e, errno, "%s", keep);
}

void kernel_build_sweep(int kernels)
{
	autoclose int fd = openat(kernels, WORK_DIR, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);

	if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
		remove_tree(kernels, WORK_DIR);
}

/* Made, and found to be nobody's, under the lock of the store's kernels. */
static int open_staging(struct build_place *p, const char *root, struct err *e)
{
	autoclose int kernels = kernel_lock_dir(root, e);
	autofree char *given = str_printf("%s/kernels", root), *path = NULL;

	if (kernels < 0)
		return kernels;
	kernel_build_sweep(kernels);
	p->dir_fd = mkdir_open(kernels, WORK_DIR, 0700);
	if (p->dir_fd < 0)
		return err_sys(e, -p->dir_fd, "%s/kernels/" WORK_DIR, root);
	if (flock(p->dir_fd, LOCK_EX | LOCK_NB) < 0)
		return err_set(e, EBUSY, "another ketch kernel build is under way in %s", root);
	path = given ? realpath(given, NULL) : NULL;
	p->dir = path ? str_printf("%s/" WORK_DIR, path) : NULL;
	p->log = path ? str_printf("%s/" LOG, path) : NULL;
	return p->dir && p->log ? 0 : err_sys(e, errno, "%s/kernels", root);
}

static int fill_dir(struct build_place *p, struct err *e)
{
	static const char *const dirs[] = { BUILD_SOURCE, BUILD_OBJECTS, BUILD_MODULES, BUILD_TMP };

	for (size_t i = 0; i < ARRAY_LEN(dirs); i++)
		if (mkdirat(p->dir_fd, dirs[i], 0755) < 0)
			return err_sys(e, errno, "%s/%s", p->dir, dirs[i]);
	p->log_fd = open(p->log, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0644);
	if (p->log_fd < 0)
		return err_sys(e, errno, "%s", p->log);
	/* a compiler that is killed leaves files there */
	if (strv_addf(&p->env, "TMPDIR=%s/" BUILD_TMP, p->dir) < 0)
		return err_set(e, ENOMEM, "out of memory");
	return 0;
}

void build_place_close(struct build_place *p, const char *root, bool drop_log)
{
	autoclose int kernels = p->is_kept || !p->dir ? -1 : kernel_lock_dir(root, NULL);

	if (kernels >= 0) {
		remove_tree(kernels, WORK_DIR);
		if (drop_log)
			unlinkat(kernels, LOG, 0);
	}
	auto_close(&p->dir_fd);
	auto_close(&p->log_fd);
	strv_done(&p->env);
	free(p->dir);
	free(p->log);
	*p = (struct build_place){ .dir_fd = -1, .log_fd = -1 };
}

int build_place_open(const char *root, const char *keep, struct build_place *ret, struct err *e)
{
	struct build_place p = { .dir_fd = -1, .log_fd = -1 };
	int r = keep ? open_kept(&p, keep, e) : open_staging(&p, root, e);
	/* what is not ours to use is not ours to clear up either */
	const bool found = r == 0;

	if (r == 0)
		r = fill_dir(&p, e);
	p.is_kept = keep || !found;
	if (r < 0)
		build_place_close(&p, root, false);
	else
		*ret = p;
	return r;
}

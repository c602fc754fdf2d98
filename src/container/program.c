/* program.c - which file a command means, and its execution
 *
 * execvp(3) would guess and would run what is no program with a shell; here the kernel's answer stands.
 */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "container/container_int.h"

enum { STATUS_NO_EXEC = 126, STATUS_NOT_FOUND = 127 };

static int exec_failed(const char *name, int no, int *ret_status, struct err *e)
{
	*ret_status = no == ENOENT || no == ENOTDIR ? STATUS_NOT_FOUND : STATUS_NO_EXEC;
	if (no == ENOENT && !strcmp(name, "/sbin/init")) /* what --system begins with */
		return err_set(e, no,
			       "exec: \"%s\": no such file or directory: the image has no init system, as "
			       "Debian's systemd-sysv, OpenRC or busybox are",
			       name);
	return err_sys(e, no, "exec: \"%s\"", name);
}

static int exec_in_path(const struct process *p, char *const *env, const char *path, int *ret_status,
			struct err *e)
{
	AUTO(strv_done) struct strv dirs = { 0 };
	const char *name = p->args.v[0];
	int no = ENOENT;

	if (strv_split(&dirs, path, ":") < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < dirs.n; i++) {
		autofree char *file = str_printf("%s/%s", dirs.v[i], name);

		/* a program in the working directory is run by "./name" only */
		if (!file || *dirs.v[i] != '/')
			continue;
		execve(file, p->args.v, env);
		if (errno != ENOENT && errno != ENOTDIR && no != EACCES)
			no = errno;
		if (errno != ENOENT && errno != ENOTDIR && errno != EACCES)
			break;
	}
	if (no != ENOENT)
		return exec_failed(name, no, ret_status, e);
	*ret_status = STATUS_NOT_FOUND;
	return err_set(e, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

/* May the file be executed?  0, or the errno of a clear no: where the filter forbids to ask, exec itself will tell. */
static int check_file(const char *path)
{
	struct stat st;
	int no = 0;

	if (stat(path, &st) < 0 || access(path, X_OK) < 0)
		no = errno;
	else if (S_ISDIR(st.st_mode))
		no = EISDIR;
	return no == EPERM || no == ENOSYS ? 0 : no;
}

static int check_path(const char *name, int *ret_status, struct err *e)
{
	int no = check_file(name);

	if (no != ENOENT && no != ENOTDIR)
		return no ? exec_failed(name, no, ret_status, e) : 0;
	*ret_status = STATUS_NOT_FOUND;
	err_sys(e, no, "stat %s", name);
	return err_wrap(e, -no, "exec: \"%s\"", name);
}

int program_check(const struct process *p, const struct strv *env, int *ret_status, struct err *e)
{
	AUTO(strv_done) struct strv dirs = { 0 };
	const char *name = p->args.v[0], *path = strv_env_get(env, "PATH");
	int no = ENOENT;

	if (strchr(name, '/'))
		return check_path(name, ret_status, e);
	if (strv_split(&dirs, path ? path : "", ":") < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < dirs.n && no; i++) {
		autofree char *file = *dirs.v[i] == '/' ? str_printf("%s/%s", dirs.v[i], name) : NULL;
		int k = file ? check_file(file) : ENOENT;

		if (k != ENOENT && k != ENOTDIR && k != EISDIR)
			no = k;
	}
	if (no != ENOENT)
		return no ? exec_failed(name, no, ret_status, e) : 0;
	*ret_status = STATUS_NOT_FOUND;
	return err_set(e, ENOENT, "exec: \"%s\": executable file not found in $PATH", name);
}

int program_exec(const struct launch *l, const struct strv *env, int *ret_status, struct err *e)
{
	const struct process *p = l->process;
	const struct opt_i64 *mask = l->oci ? &l->oci->process->user.umask : &p->umask;
	const char *name = p->args.v[0];

	umask(mask->set ? (mode_t)mask->v : 022);
	if (!strchr(name, '/'))
		return exec_in_path(p, env->v, strv_env_get(env, "PATH"), ret_status, e);
	execve(name, p->args.v, env->v);
	return exec_failed(name, errno, ret_status, e);
}

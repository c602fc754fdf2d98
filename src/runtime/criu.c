/* criu.c - what both verbs of CRIU have from their caller: directories, flags; and what cannot be */
#include "runtime/criu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/path.h"

static int add_flags(struct criu *c, const struct criu_args *a, struct err *e)
{
	const struct {
		bool on;
		const char *flag;
	} flags[] = {
		{ a->tcp_established, "--tcp-established" },
		{ a->ext_unix_sk, "--ext-unix-sk" },
		{ a->shell_job, "--shell-job" },
		{ a->file_locks, "--file-locks" },
		{ a->lazy_pages, "--lazy-pages" },
		{ a->auto_dedup, "--auto-dedup" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(flags) && r == 0; i++)
		if (flags[i].on)
			r = strv_add(&c->argv, flags[i].flag);
	for (size_t i = 0; i < a->empty_ns.n && r == 0; i++) {
		if (strcmp(a->empty_ns.v[i], "network"))
			return err_set(e, EINVAL, "--empty-ns: \"%.40s\" is not \"network\"",
				       a->empty_ns.v[i]);
		r = criu_add(c, "--empty-ns=net");
	}
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int open_dir(const struct runtime *rt, const char *path, bool make)
{
	int fd = make ? mkdir_open(rt->cwd, path, 0700)
		      : openat(rt->cwd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 && !make ? -errno : fd;
}

static int set_program(struct criu *c, const char *path, struct err *e)
{
	char *copy = path ? strdup(path) : NULL;

	if (!path)
		return 0;
	if (!copy)
		return err_set(e, ENOMEM, "out of memory");
	free(c->argv.v[0]);
	c->argv.v[0] = copy;
	return 0;
}

int criu_begin(struct criu *c, const struct runtime *rt, const char *verb, const struct criu_args *a,
	       struct err *e)
{
	const char *images = a->image_path ? a->image_path : "checkpoint";
	autoclose int work = -1;
	int dir = open_dir(rt, images, strcmp(verb, "restore") != 0), r;

	*c = (struct criu){ .images = -1 };
	if (dir < 0)
		return err_sys(e, -dir, "--image-path %s", images);
	work = open_dir(rt, a->work_path ? a->work_path : images, true);
	if (work < 0) {
		close(dir);
		return err_sys(e, -work, "--work-path %s", a->work_path);
	}
	r = criu_init_take(c, verb, dir, work, e);
	if (r == 0)
		r = set_program(c, rt->criu, e);
	return r < 0 ? r : add_flags(c, a, e);
}

int criu_check_spec(const struct oci_spec *s, const struct runtime *rt, struct err *e)
{
	static const int unknown[] = { OCI_NS_MOUNT, OCI_NS_USER, OCI_NS_CGROUP };

	if (rt->rootless)
		return err_set(e, EPERM, "checkpoint and restore need the rights of the host's root");
	if (!oci_namespace_find(&s->lnx, OCI_NS_MOUNT))
		return err_set(e, ENOTSUP,
			       "checkpoint and restore need a mount namespace (linux.namespaces)");
	for (size_t i = 0; i < ARRAY_LEN(unknown); i++)
		if (oci_namespace_find(&s->lnx, unknown[i]) && !oci_namespace_is_new(&s->lnx, unknown[i]))
			return err_set(e, ENOTSUP,
				       "checkpoint and restore in the %s namespace of others: not supported",
				       oci_namespace_types[unknown[i]]);
	return 0;
}

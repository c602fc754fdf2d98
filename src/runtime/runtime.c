/* runtime.c - the directory of all containers, one container in it, and its state as JSON */
#include "runtime/runtime.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/clock.h"
#include "base/io.h"
#include "base/path.h"
#include "container/mount_options.h"
#include "sys/ns.h"

static char *default_root(bool rootless)
{
	const char *dir = getenv("XDG_RUNTIME_DIR");

	if (!rootless || !dir || *dir != '/')
		return strdup("/run/ketch-oci");
	return str_printf("%s/ketch-oci", dir);
}

/* A12: nobody else's, and not to be walked into. */
static int open_root(struct runtime *rt, struct err *e)
{
	struct stat st;

	rt->dir = mkdir_open(AT_FDCWD, rt->root, 0700);
	if (rt->dir < 0)
		return err_sys(e, -rt->dir, "--root %s", rt->root);
	if (fstat(rt->dir, &st) < 0 || st.st_uid != geteuid() || (st.st_mode & 022))
		return err_set(e, EPERM, "--root %s: others than its owner could write there", rt->root);
	return 0;
}

int runtime_open(struct runtime *rt, const char *root, struct err *e)
{
	int r;

	*rt = (struct runtime){ .dir = -1, .rootless = geteuid() != 0 || !ns_is_first_user() };
	rt->cwd = open(".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	rt->root = root ? realpath(root, NULL) : default_root(rt->rootless);
	if (!rt->root && root)
		rt->root = strdup(root);
	if (!rt->root)
		return err_set(e, ENOMEM, "out of memory");
	r = open_root(rt, e);
	if (r < 0)
		runtime_done(rt);
	return r;
}

void runtime_done(struct runtime *rt)
{
	free(rt->root);
	free(rt->criu);
	if (rt->dir >= 0)
		close(rt->dir);
	if (rt->cwd >= 0)
		close(rt->cwd);
	*rt = (struct runtime){ .dir = -1, .cwd = -1 };
}

/* --- one container */

int container_ref_open(const struct runtime *rt, const char *id, struct container_ref *ret, struct err *e)
{
	int r;

	*ret = (struct container_ref){ .dir = -1, .status = CONTAINER_CREATING };
	if (!record_id_is_valid(id))
		return err_set(e, EINVAL, "invalid container ID \"%.80s\"", id);
	ret->dir = openat(rt->dir, id, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (ret->dir < 0)
		return errno == ENOENT
			       ? err_set(e, ENOENT,
					 "container \"%s\" does not exist: container does not exist", id)
			       : err_sys(e, errno, "container \"%s\"", id);
	r = record_read(ret->dir, &ret->record, e);
	if (r == -ENOENT) { /* whoever created it was killed at once */
		ret->record.id = strdup(id);
		return ret->record.id ? 0 : err_set(e, ENOMEM, "out of memory");
	}
	if (r == 0)
		ret->status = record_status(ret->dir, &ret->record);
	else
		container_ref_done(ret);
	return r;
}

void container_ref_done(struct container_ref *c)
{
	record_done(&c->record);
	if (c->dir >= 0)
		close(c->dir);
	c->dir = -1;
}

static int read_config(const struct container_ref *c, struct buf *ret, struct err *e)
{
	int r = read_file(c->dir, "config.json", OCI_CONFIG_MAX, ret);

	return r < 0 ? err_sys(e, -r, "cannot read the config of the container") : 0;
}

int container_ref_config(const struct container_ref *c, struct oci_spec *ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_config(c, &b, e);

	return r == 0 ? oci_spec_parse(b.data, b.len, ret, e) : r;
}

int container_ref_process(const struct container_ref *c, struct oci_process *ret, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_config(c, &b, e);

	return r == 0 ? oci_spec_parse_process(b.data, b.len, ret, e) : r;
}

/* --- all of them */

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int runtime_list(const struct runtime *rt, struct strv *ret, struct err *e)
{
	int fd = openat(rt->dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *d = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *de;

	if (!d)
		return err_sys(e, errno, "cannot read --root");
	while (r == 0 && (de = readdir(d)))
		if (de->d_type == DT_DIR && record_id_is_valid(de->d_name))
			r = strv_add(ret, de->d_name);
	closedir(d);
	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	if (ret->n)
		qsort(ret->v, ret->n, sizeof(*ret->v), by_name);
	return 0;
}

/* --- state */

struct state {
	char *oci_version, *id, *status;
	int pid;
	char *bundle, *rootfs, *created;
	struct strv annotations;
	char *owner;
};

static const struct jfield state_fields[] = {
	JK(J_STR, struct state, oci_version, "ociVersion"),
	J(J_STR, struct state, id),
	J(J_INT, struct state, pid),
	J(J_STR, struct state, status),
	J(J_STR, struct state, bundle),
	J(J_STR, struct state, rootfs),
	J(J_STR, struct state, created),
	J(J_MAP, struct state, annotations),
	J(J_STR, struct state, owner),
	{ 0 },
};
static const struct jtable state_table = { sizeof(struct state), state_fields };

int runtime_add_state(const struct record *r, enum container_status status, int form, struct buf *out)
{
	char created[RFC3339_LEN], owner[16] = "";
	autofree char *word = strdup(container_status_names[status]);
	struct state s = {
		.oci_version = r->oci_version,
		.id = r->id,
		.status = word,
		.pid = status == CONTAINER_STOPPED ? 0 : r->pid,
		.bundle = r->bundle,
		.rootfs = r->rootfs,
		.created = created,
		.annotations = r->annotations,
		.owner = owner,
	};

	/* --root belongs to who uses it (runtime_open) */
	if ((form & STATE_OWNED) && geteuid() == 0)
		strcpy(owner, "root");
	else if (form & STATE_OWNED)
		snprintf(owner, sizeof(owner), "%u", geteuid());
	rfc3339_format(r->created_ns, created);
	return word ? json_print(&state_table, &s, JSON_ALL | (form & STATE_PRETTY ? JSON_PRETTY : 0), out)
		    : -ENOMEM;
}

const char *runtime_mount_option(size_t i)
{
	return mount_option_name(i);
}

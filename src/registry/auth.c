/* auth.c - user names and passwords for registries: where they are, are kept and forgotten */
#include "registry/auth.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"
#include "base/path.h"
#include "registry/helper.h"

static int add_path(struct strv *to, const char *dir, const char *name)
{
	return dir && *dir ? strv_addf(to, "%s/%s", dir, name) : 0;
}

/* The one that a login writes is the last. */
static int list_files(const char *file, struct strv *ret, struct err *e)
{
	const char *home = getenv("HOME"), *runtime = getenv("XDG_RUNTIME_DIR"),
		   *docker = getenv("DOCKER_CONFIG");
	int r;

	if (!file || !*file)
		file = getenv("REGISTRY_AUTH_FILE");
	if (file && *file)
		return strv_add(ret, file) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
	r = runtime && *runtime ? add_path(ret, runtime, "containers/auth.json")
				: strv_addf(ret, "/run/containers/%u/auth.json", (unsigned)geteuid());
	if (r == 0)
		r = add_path(ret, home, ".config/containers/auth.json");
	if (r == 0)
		r = docker && *docker ? add_path(ret, docker, "config.json")
				      : add_path(ret, home ? home : "/root", ".docker/config.json");
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int read_text(const char *path, struct buf *ret, struct err *e)
{
	int r = read_file(AT_FDCWD, path, AUTH_FILE_MAX, ret);

	return r < 0 && r != -ENOENT && r != -ENOTDIR ? err_sys(e, -r, "%.200s", path) : 0;
}

/* Text of secrets leaves no copy in freed memory. */
static void secret_done(struct buf *b)
{
	if (b->data)
		explicit_bzero(b->data, b->cap);
	buf_done(b);
}

static void host_of(const char *name, char ret[256])
{
	size_t n = strcspn(name, "/");

	if (n > 255)
		n = 255;
	memcpy(ret, name, n);
	ret[n] = '\0';
}

static int find_in(const char *path, const char *name, struct credentials *ret, bool *ret_found,
		   struct err *e)
{
	AUTO(secret_done) struct buf text = { 0 };
	AUTO(auth_answer_done) struct auth_answer a = { 0 };
	char host[256];
	int r = read_text(path, &text, e);

	if (r < 0 || !text.len)
		return r;
	r = auth_file_find(text.data, text.len, name, &a, e);
	if (r < 0)
		return err_wrap(e, r, "%.200s", path);
	host_of(name, host);
	if (a.helper) {
		r = helper_get(a.helper, host, ret, e);
		*ret_found = r > 0;
		return r < 0 ? r : 0;
	}
	*ret_found = a.found;
	if (a.found) {
		*ret = a.credentials;
		a.credentials = (struct credentials){ 0 };
	}
	return 0;
}

int auth_find(const char *file, const char *name, struct credentials *ret, struct err *e)
{
	AUTO(strv_done) struct strv files = { 0 };
	struct credentials c = { 0 };
	bool found = false;
	int r = list_files(file, &files, e);

	for (size_t i = 0; r == 0 && !found && i < files.n; i++)
		r = find_in(files.v[i], name, &c, &found, e);
	if (r < 0) {
		credentials_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

/* --- changes */

static int write_text(const char *path, const struct buf *text, struct err *e)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = slash ? strndup(path, (size_t)(slash - path)) : NULL;
	int fd = dir && *dir ? mkdir_open(AT_FDCWD, dir, 0700) : -1, r;

	auto_close(&fd); /* where the directory could not be made, the file cannot either */
	r = write_file_atomic(AT_FDCWD, path, 0600, text->data, text->len);
	return r < 0 ? err_sys(e, -r, "%.200s", path) : 0;
}

static int change_file(const char *path, const char *server, const struct credentials *c, bool *ret_changed,
		       struct err *e)
{
	AUTO(secret_done) struct buf old = { 0 }, new = { 0 };
	int r = read_text(path, &old, e);

	*ret_changed = false;
	if (r < 0 || (!c && !old.len))
		return r;
	r = auth_file_change(old.data, old.len, server, c, &new, ret_changed, e);
	if (r < 0)
		return err_wrap(e, r, "%.200s", path);
	return *ret_changed ? write_text(path, &new, e) : 0;
}

/* The helper that the file has for the server; NULL: none. */
static int helper_of(const char *path, const char *server, char **ret, struct err *e)
{
	AUTO(secret_done) struct buf text = { 0 };
	AUTO(auth_answer_done) struct auth_answer a = { 0 };
	int r = read_text(path, &text, e);

	if (r == 0 && text.len)
		r = auth_file_find(text.data, text.len, server, &a, e);
	if (r == 0)
		*ret = take_ptr(a.helper);
	return r < 0 ? err_wrap(e, r, "%.200s", path) : 0;
}

int auth_keep(const char *file, const char *server, const struct credentials *c, char **ret_where,
	      struct err *e)
{
	AUTO(strv_done) struct strv files = { 0 };
	autofree char *helper = NULL;
	const char *path;
	bool changed;
	int r = list_files(file, &files, e);

	if (r < 0)
		return r;
	path = files.v[files.n - 1];
	r = helper_of(path, server, &helper, e);
	if (r == 0)
		r = helper ? helper_store(helper, server, c, e) : change_file(path, server, c, &changed, e);
	if (r < 0)
		return r;
	/* what is found before it would hide it */
	for (size_t i = 0; r == 0 && i + 1 < files.n; i++)
		r = change_file(files.v[i], server, NULL, &changed, e);
	if (r == 0)
		*ret_where = helper ? take_ptr(helper) : strdup(path);
	return r;
}

int auth_forget(const char *file, const char *server, bool *ret_found, struct err *e)
{
	AUTO(strv_done) struct strv files = { 0 };
	int r = list_files(file, &files, e);

	*ret_found = false;
	for (size_t i = 0; r == 0 && i < files.n; i++) {
		autofree char *helper = NULL;
		bool changed = false;

		if (server)
			r = helper_of(files.v[i], server, &helper, e);
		if (r == 0 && helper)
			r = helper_erase(helper, server, e);
		if (r == 0)
			r = change_file(files.v[i], server, NULL, &changed, e);
		*ret_found = *ret_found || changed || helper;
	}
	return r;
}

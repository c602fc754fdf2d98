/* certs.c - certs.d (containers-certs.d(5), Docker's too): whom to trust for one server, and who we are to it */
#include "registry/certs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/io.h"

#define PEM_MAX (4 << 20)

static const char *const system_dirs[] = { "/etc/containers/certs.d", "/etc/docker/certs.d" };

void certs_done(struct certs *c)
{
	if (c->key)
		explicit_bzero(c->key, strlen(c->key));
	free(c->ca);
	free(c->cert);
	free(c->key);
	*c = (struct certs){ 0 };
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), k = strlen(end);

	return n > k && !strcmp(s + n - k, end);
}

static int read_pem(const char *dir, const char *name, struct buf *to, struct err *e)
{
	autofree char *path = str_printf("%s/%s", dir, name);
	int r = path ? read_file(AT_FDCWD, path, PEM_MAX, to) : -ENOMEM;

	if (r == 0)
		buf_addc(to, '\n');
	return r < 0 ? err_sys(e, -r, "%.200s/%.80s", dir, name) : 0;
}

/* A certificate of ours and its key. */
static int read_pair(const char *dir, const char *name, struct certs *ret, struct err *e)
{
	autofree char *key_name = str_printf("%.*s.key", (int)(strlen(name) - strlen(".cert")), name);
	AUTO(buf_done) struct buf cert = { 0 }, key = { 0 };
	int r = key_name ? read_pem(dir, name, &cert, e) : err_set(e, ENOMEM, "out of memory");

	if (r == 0)
		r = read_pem(dir, key_name, &key, e);
	if (r < 0)
		return r;
	ret->cert = buf_take(&cert);
	ret->key = buf_take(&key);
	return ret->cert && ret->key ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int read_dir(const char *dir, struct certs *ret, struct err *e)
{
	AUTO(buf_done) struct buf ca = { 0 };
	struct dirent **list = NULL;
	int n = scandir(dir, &list, NULL, alphasort), r = 0;

	if (n < 0)
		return errno == ENOENT || errno == ENOTDIR ? 0 : err_sys(e, errno, "%.200s", dir);
	for (int i = 0; i < n; i++) {
		const char *name = list[i]->d_name;

		if (r == 0 && ends_with(name, ".crt"))
			r = read_pem(dir, name, &ca, e);
		else if (r == 0 && ends_with(name, ".cert") && !ret->cert)
			r = read_pair(dir, name, ret, e);
		free(list[i]);
	}
	free(list);
	if (r == 0 && ca.len)
		ret->ca = buf_take(&ca);
	return r;
}

int certs_load(const char *dir, const char *server, struct certs *ret, struct err *e)
{
	const char *const *dirs = dir ? &dir : system_dirs;
	struct certs c = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && !c.ca && !c.cert && i < (dir ? 1 : ARRAY_LEN(system_dirs)); i++) {
		autofree char *path = str_printf("%s/%s", dirs[i], server);

		r = path ? read_dir(path, &c, e) : err_set(e, ENOMEM, "out of memory");
	}
	if (r < 0) {
		certs_done(&c);
		return r;
	}
	*ret = c;
	return 0;
}

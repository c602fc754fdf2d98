/* packages.c - which packages an image has: what the inventories of its layers say, put on top of each other
 *
 * From the top layer down: a file counts if no layer above has one of this path, or hides it.  Whether one does is seen in that
 * layer itself, as overlayfs would see it: at each name on the way.
 */
#include "image/packages.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/auto.h"
#include "image/store_int.h"

#define IMAGE_MAX (64 << 20) /* bytes of all inventories of an image: a million packages */
#define OPAQUE	  "trusted.overlay.opaque"

struct stack {
	struct image_store *store;
	const struct strv *ids; /* of the layers, lowest first */
	int fds[IMAGE_LAYERS_MAX]; /* -1: not opened yet */
	size_t bytes; /* of inventories so far */
	struct image_packages *out;
};

void image_packages_done(struct image_packages *p)
{
	for (size_t i = 0; i < p->n; i++)
		package_file_done(&p->files[i]);
	free(p->files);
	*p = (struct image_packages){ 0 };
}

static void stack_done(struct stack *s)
{
	for (size_t i = 0; i < ARRAY_LEN(s->fds); i++)
		auto_close(&s->fds[i]);
}

/* --- what is seen */

static bool is_opaque(int fd)
{
	char value[2];

	return fgetxattr(fd, OPAQUE, value, sizeof(value)) == 1 && value[0] == 'y';
}

/* Does the layer hide this name below *at?  1; 0: it has nothing there; 2: it is a directory, and *at that one now. */
static int look_at_name(int *at, const char *name, bool is_last)
{
	struct stat st;
	int fd;

	if (fstatat(*at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : -errno;
	if (is_last || !S_ISDIR(st.st_mode))
		return 1;
	fd = openat(*at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	close(*at);
	*at = fd;
	return is_opaque(fd) ? 1 : 2;
}

/* Does the layer hide `path` of the layers below? */
static int hides(int layer_fd, const char *path)
{
	autoclose int at = openat(layer_fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofree char *copy = strdup(path);
	char *name, *rest = copy;
	int r = 2;

	if (at < 0)
		return -errno;
	if (!copy)
		return -ENOMEM;
	while (r == 2 && (name = strsep(&rest, "/")) && *name)
		r = look_at_name(&at, name, !rest);
	return r == 2 ? 0 : r;
}

/* Is a file of layer `i` seen in the image? */
static int is_seen(struct stack *s, size_t i, const char *path, struct err *e)
{
	for (size_t k = 0; k < s->out->n; k++)
		if (!strcmp(s->out->files[k].path, path))
			return 0;
	for (size_t k = i + 1; k < s->ids->n; k++) {
		int r;

		if (s->fds[k] < 0)
			s->fds[k] = image_layer_open(s->store, s->ids->v[k], e);
		if (s->fds[k] < 0)
			return s->fds[k];
		r = hides(s->fds[k], path);
		if (r)
			return r < 0 ? err_sys(e, -r, "layer %.19s", s->ids->v[k]) : 0;
	}
	return 1;
}

/* --- inventories */

static int keep(struct image_packages *out, struct package_file *f, struct err *e)
{
	struct package_file *list = reallocarray(out->files, out->n + 1, sizeof(*list));

	if (!list)
		return err_set(e, ENOMEM, "out of memory");
	out->files = list;
	list[out->n++] = *f;
	*f = (struct package_file){ 0 };
	return 0;
}

static int take_line(struct stack *s, size_t i, const char *line, size_t n, struct err *e)
{
	AUTO(package_file_done) struct package_file f = { 0 };
	int r = json_parse(&package_file_table, line, n, JSON_STRICT, &f, e);

	if (r < 0)
		return err_wrap(e, r, "the inventory of layer %.19s", s->ids->v[i]);
	r = is_seen(s, i, f.path, e);
	return r <= 0 ? r : keep(s->out, &f, e);
}

/* A list that is not whole, or wrong, is worse than none. */
static int check_intact(struct image_store *s, const char *id, struct err *e)
{
	enum inventory_state state;
	int r = store_inventory_look(s, id, &state, e);

	if (r < 0 || state == INVENTORY_INTACT)
		return r;
	return err_set(e, EBADMSG, "the inventory of layer %.19s %s", id, store_inventory_trouble(state));
}

static int take_layer(struct stack *s, size_t i, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	const char *id = s->ids->v[i], *at;
	struct digest d;
	char hex[DIGEST_HEX];
	int r = digest_parse(id, &d);

	if (r < 0)
		return err_set(e, EINVAL, "\"%.80s\" is no layer", id);
	r = check_intact(s->store, id, e);
	if (r < 0)
		return r;
	digest_hex(&d, hex);
	r = store_inventory_read(s->store->packages_fd, hex, &text);
	if (r == -ENOENT) {
		s->out->n_unknown++;
		return 0;
	}
	if (r < 0)
		return err_sys(e, -r, "the inventory of layer %.19s", id);
	s->bytes += text.len;
	if (s->bytes > IMAGE_MAX)
		return err_set(e, E2BIG, "the inventories of its layers are larger than %d MiB",
			       IMAGE_MAX >> 20);
	at = text.data;
	while (r == 0 && at < text.data + text.len) {
		const char *end = strchrnul(at, '\n');

		r = take_line(s, i, at, (size_t)(end - at), e);
		at = *end ? end + 1 : end;
	}
	return r;
}

int image_packages(struct image_store *store, const struct image *im, struct image_packages *ret,
		   struct err *e)
{
	AUTO(stack_done) struct stack s = { .store = store, .ids = &im->config.rootfs.diff_ids, .out = ret };
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(s.fds); i++)
		s.fds[i] = -1;
	if (s.ids->n > ARRAY_LEN(s.fds))
		return err_set(e, E2BIG, "the image has more than %d layers", IMAGE_LAYERS_MAX);
	for (size_t i = s.ids->n; r == 0 && i-- > 0;)
		r = take_layer(&s, i, e);
	return r;
}

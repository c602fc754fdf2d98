/* verify.c - is what the store keeps of an image still what it was? */
#include "image/verify.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/sha256.h"
#include "base/verity.h"
#include "image/store_int.h"

static int broken(struct strv *lines, const char *what, const char *digest, const char *why, struct err *e)
{
	return strv_addf(lines, "%s %s %s", what, digest, why) < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int verify_config(struct image_store *s, const struct image *im, struct strv *lines, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	const char *hex = strchr(im->id, ':') + 1;
	char is[SHA256_HEX];
	int r = read_file(s->configs_fd, hex, IMAGE_DOCUMENT_MAX, &text);

	if (r == -ENOENT)
		return broken(lines, "config", im->id, "is missing", e);
	if (r == -EFBIG)
		return broken(lines, "config", im->id, "has changed", e);
	if (r < 0)
		return broken(lines, "config", im->id, strerror(-r), e);
	sha256_hex(text.data, text.len, is);
	return strcmp(is, hex) ? broken(lines, "config", im->id, "has changed", e) : 0;
}

/* NULL: it is well. */
static const char *look_at_file(int fd, const char *want)
{
	struct digest d;
	char is[DIGEST_TEXT];
	int r = verity_of_file(fd, d.sha256);

	if (r < 0 && r != -EINVAL) /* too short to have one */
		return strerror(-r);
	digest_text(&d, is);
	return r < 0 || strcmp(is, want) != 0 ? "has changed" : NULL;
}

static int verify_layer(struct image_store *s, const char *diff_id, bool repair, struct strv *lines,
			size_t *unknown, struct err *e)
{
	autoclose int fd = store_layer_file(s, diff_id, NULL);
	struct layer_sums sums;
	const char *why;
	struct stat st;
	int r = record_layer_sums(s, diff_id, &sums, e);

	if (r < 0)
		return r;
	if (fd < 0)
		return broken(lines, "layer", diff_id, fd == -ENOENT ? "is missing" : strerror(-fd), e);
	if (fstat(fd, &st) < 0)
		return err_sys(e, errno, "layer %.19s", diff_id);
	if (!*sums.verity && S_ISDIR(st.st_mode)) {
		++*unknown;
		return 0;
	}
	why = S_ISREG(st.st_mode) ? look_at_file(fd, sums.verity) : "has changed";
	if (why && repair && S_ISREG(st.st_mode)) {
		r = store_layer_remove_file(s, diff_id, e);
		why = "had changed and was removed: load or pull the image again";
	}
	if (r < 0)
		return r;
	return why ? broken(lines, "layer", diff_id, why, e) : 0;
}

static int verify_inventory(struct image_store *s, const char *diff_id, bool repair, struct strv *lines,
			    struct err *e)
{
	static const char what[] = "inventory of layer";
	enum inventory_state state;
	int r = store_inventory_look(s, diff_id, &state, e);

	if (r < 0 || state == INVENTORY_INTACT)
		return r;
	if (!repair)
		return broken(lines, what, diff_id, store_inventory_trouble(state), e);
	r = store_inventory_remake(s, diff_id, e);
	return r < 0 ? r
		     : broken(lines, what, diff_id,
			      state == INVENTORY_MISSING ? "was missing and was made again"
							 : "had changed and was made again",
			      e);
}

int image_verify(struct image_store *s, const struct image *im, bool repair, struct strv *checked,
		 struct strv *ret_lines, size_t *ret_unknown, struct err *e)
{
	const struct strv *ids = &im->config.rootfs.diff_ids;
	int r = verify_config(s, im, ret_lines, e);

	for (size_t i = 0; r == 0 && i < ids->n; i++) {
		size_t n = ret_lines->n, unknown = *ret_unknown;

		if (strv_has(checked, ids->v[i]))
			continue;
		r = verify_layer(s, ids->v[i], repair, ret_lines, ret_unknown, e);
		if (r == 0 && n == ret_lines->n) /* else both come again with the layer */
			r = verify_inventory(s, ids->v[i], repair, ret_lines, e);
		if (r == 0 && n == ret_lines->n && unknown == *ret_unknown &&
		    strv_add(checked, ids->v[i]) < 0)
			r = err_set(e, ENOMEM, "out of memory");
	}
	return r;
}

/* push.h - images go to registries */
#ifndef IMAGE_PUSH_H
#define IMAGE_PUSH_H

#include "image/chunks.h"
#include "image/pull.h"

struct image_push {
	const char *name; /* "name:tag", or with all_tags "name" */
	bool all_tags;
	struct registry_files files;
	const struct image_chunks
		*chunks; /* go with it, under one index (chunks.h); NULL: none; not with all_tags */
	int timeout_s; /* how long a server may be silent; 0: 30 */
	pull_tell tell; /* PUSH_BEGINS, PULL_BLOB, PULL_NOTE, PUSH_DONE; may be NULL */
	void *arg;
};

/* An image that was pulled and whose layers the server has goes there as it came.  Else its archives
 * are made as image/save.h says and compressed: another manifest, but the same config and so the same id. */
int image_push(struct image_store *s, const struct image_push *rq, struct err *e);

/* Are these the right user and password (in ep)?  *ret_token: what to keep in place of the password; NULL: nothing. */
int image_login(const struct registry_endpoint *ep, int timeout_s, char **ret_token, struct err *e);

/* What a server has, by words; *ret by images_found_free. */
struct images_found {
	struct registry_found *list;
	size_t n;
};
int image_search(const struct registry_endpoint *ep, const char *words, int limit, int timeout_s,
		 struct images_found *ret, struct err *e);
void images_found_done(struct images_found *f);

#endif

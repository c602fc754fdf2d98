/* pull.h - images come from registries (docs/design/011) */
#ifndef IMAGE_PULL_H
#define IMAGE_PULL_H

#include "image/store.h"
#include "registry/request.h"
#include "registry/resolve.h"

enum pull_kind {
	PULL_BEGINS, /* `text`: the repository, `tag` (or a digest) */
	PULL_BLOB, /* state, digest, at, bytes */
	PULL_UNPACK, /* `text`: a line of the job that makes the layers, "" or a percentage, as image_progress has it */
	PULL_NOTE, /* `text`: what went wrong without ending it */
	PUSH_BEGINS, /* `text`: the repository, whole */
	PUSH_DONE, /* tag, digest, bytes: of the manifest */
	PULL_DONE, /* digest, `text`: the reference; `fresh`: it is newer than what was here */
};

/* What happens, as it happens; all borrowed. */
struct pull_event {
	enum pull_kind kind;
	const char *text, *tag, *digest;
	int state; /* enum blob_state */
	uint64_t at, bytes;
	bool fresh;
};
typedef void (*pull_tell)(void *arg, const struct pull_event *ev);

struct image_pull {
	const char *name; /* as it was typed */
	const char *platform; /* NULL: this machine's */
	bool all_tags;
	struct registry_files files;
	int timeout_s; /* how long a server may be silent; 0: 30 */
	pull_tell tell; /* may be NULL */
	void *arg;
};

/* *ret_refs: what was pulled, as it is called here. */
int image_pull(struct image_store *s, const struct image_pull *rq, struct strv *ret_refs, struct err *e);

#endif

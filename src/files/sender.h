/* sender.h - a tar stream of the form of canon.h that is written entry by entry; for who has an order of his own */
#ifndef FILES_SENDER_H
#define FILES_SENDER_H

#include "base/sha256.h"
#include "files/canon.h"
#include "files/links.h"
#include "files/send.h"
#include "files/xattrs.h"

#define SEND_PIECE 65536

struct sender {
	int out_fd; /* -1: nowhere, only the hash is wanted */
	int failed; /* -errno of the first write that failed */
	struct canon canon;
	struct links *links;
	struct xattrs attributes; /* of the entry now, until its header is made */
	bool rooted; /* the first entry is out */
	bool flat; /* of a directory only itself */
	bool whole_root; /* of an instance: the kernel's directories in it are sent empty */
	bool layer; /* the tree of a layer: names in order, deletions in the words of archives (send_layer.c) */
	struct sha256 *hash; /* of all that goes out; NULL: not wanted */
	uint64_t bytes; /* that went out */
	int depth;
	char path[PATH_BYTES_MAX + 1]; /* of the entry now */
	size_t filled;
	char out[SEND_PIECE], data[SEND_PIECE];
};

struct sender *sender_new(int out_fd); /* NULL: no memory */
void sender_free(struct sender *s);
/* Sends what is at `at` under the name s->path.  -ENOENT without a message: it has gone, which is no matter. */
int sender_put(struct sender *s, const struct place *at, struct err *e);
/* An empty file of mode 0. */
int sender_put_empty(struct sender *s, const char *path, struct err *e);
/* Sends the entry `name` of a directory, whose path is s->path. */
int sender_put_child(struct sender *s, int dirfd, const char *name, struct err *e);

/* send_layer.c: what is different in layers. */
bool sender_is_deletion(const struct stat *st);
int sender_put_deletion(struct sender *s, struct err *e);
/* The mark of a directory that hides what is below it. */
int sender_put_opaque(struct sender *s, int fd, struct err *e);
bool sender_keeps_attribute(const char *name);
/* All children of fd (borrowed), in the order of their names. */
int sender_put_sorted(struct sender *s, int fd, struct err *e);

/* Ends the stream; or, where r is a failure, puts the path in front of it. */
int sender_end(struct sender *s, int r, struct err *e);

#endif

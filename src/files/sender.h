/* sender.h - a tar stream of the form of canon.h that is written entry by entry; for who has an order of his own */
#ifndef FILES_SENDER_H
#define FILES_SENDER_H

#include "files/canon.h"
#include "files/links.h"
#include "files/send.h"
#include "files/xattrs.h"

#define SEND_PIECE 65536

struct sender {
	int out_fd;
	int failed; /* -errno of the first write that failed */
	struct canon canon;
	struct links *links;
	struct xattrs attributes; /* of the entry now, until its header is made */
	bool rooted; /* the first entry is out */
	bool flat; /* of a directory only itself */
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
/* Ends the stream; or, where r is a failure, puts the path in front of it. */
int sender_end(struct sender *s, int r, struct err *e);

#endif

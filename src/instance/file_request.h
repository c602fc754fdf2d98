/* file_request.h - which files of an instance are asked for: the payload of MSG_GET and MSG_PUT */
#ifndef INSTANCE_FILE_REQUEST_H
#define INSTANCE_FILE_REQUEST_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

/* What a GET gives on STDOUT.  A PUT is a copy, or a layer, which is written into the root. */
enum files_kind {
	FILES_COPY, /* what is at `path`, as a process inside sees it: a tar stream */
	FILES_TREE, /* the whole root, without what is mounted in it: a tar stream */
	FILES_CHANGES, /* what is different from the image: records of instance/change.h */
	FILES_LAYER, /* the same as a layer of an image: a tar stream with whiteouts (OCI image-spec, layer.md) */
	FILES_HOLD, /* PUT, nothing is copied: what was written is durable, and nobody writes until its input ends */
	FILES_KIND_N
};
extern const char *const files_kind_names[];

struct file_request {
	int kind; /* enum files_kind; all but a copy are of the whole root and have no path */
	char *path; /* inside, from its root */
	bool still; /* GET: the processes of the instance stand still meanwhile */
	bool stamps; /* CHANGES: with them (instance/change.h) */
	bool follow; /* GET: a link at the end of the path is resolved */
	bool archive; /* PUT: any archive, unpacked in the directory `path`; else one file or directory, as send.h makes it */
	bool keep_owner; /* PUT: the owners of the archive; else root */
};

extern const struct jtable file_request_table;

/* Parses and checks a request; *ret by json_done. */
int file_request_parse(const char *text, size_t n, struct file_request *ret, struct err *e);

#endif

/* file_request.h - which files of an instance are copied: the payload of MSG_GET and MSG_PUT */
#ifndef INSTANCE_FILE_REQUEST_H
#define INSTANCE_FILE_REQUEST_H

#include <stdbool.h>

#include "base/err.h"
#include "base/json.h"

struct file_request {
	char *path; /* inside, from its root */
	bool follow; /* GET: a link at the end of the path is resolved */
	bool archive; /* PUT: any archive, unpacked in the directory `path`; else one file or directory, as send.h makes it */
	bool keep_owner; /* PUT: the owners of the archive; else root */
};

extern const struct jtable file_request_table;

/* Parses and checks a request; *ret by json_done. */
int file_request_parse(const char *text, size_t n, struct file_request *ret, struct err *e);

#endif

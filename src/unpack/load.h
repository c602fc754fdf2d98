/* load.h - private to load.c, docker.c and layout.c: what both forms of archive come down to */
#ifndef UNPACK_LOAD_H
#define UNPACK_LOAD_H

#include "oci/manifest.h"
#include "unpack/job.h"
#include "unpack/members.h"

/* A file of the archive and what is promised of it. */
struct blob {
	char path[512];
	bool has_digest, has_size;
	struct digest digest;
	uint64_t size;
};

struct load_image {
	struct blob config;
	struct blob layers[IMAGE_LAYERS_MAX];
	size_t n_layers;
	bool has_manifest;
	struct digest manifest;
	struct strv refs;
};

struct load {
	struct job *job;
	struct members *members;
	struct strv checked; /* "DIFF_ID PATH": this blob has this diff id */
	struct strv unpacked; /* diff ids of layers that this job made */
};

/* Reads a small file and holds it against what is promised. */
int load_document(struct load *ld, const struct blob *b, struct buf *ret, struct err *e);
int load_one(struct load *ld, const struct load_image *im, struct err *e);
int load_docker(struct load *ld, struct err *e);
int load_layout(struct load *ld, struct err *e);

#endif

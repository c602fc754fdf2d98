/* manifest.h - which config and which layers make an image: OCI image-spec 1.1 and Docker's equals; pure
 *
 * One schema for each media type: a document is read as what its descriptor says it is, a document that says
 * something else of itself, or could be read as both, is refused (CVE-2021-41190).
 */
#ifndef OCI_MANIFEST_H
#define OCI_MANIFEST_H

#include "oci/digest.h"
#include "oci/image.h"

enum media_type { MEDIA_NONE, MEDIA_INDEX, MEDIA_MANIFEST, MEDIA_CONFIG, MEDIA_LAYER };

/* MEDIA_NONE for what Ketch does not know. */
enum media_type media_type_of(const char *s);

struct platform {
	char *architecture, *os, *variant;
};

struct descriptor {
	char *media_type;
	char *digest;
	struct digest id; /* the same, parsed */
	uint64_t size;
	struct strv annotations; /* "key=value" */
	struct platform platform; /* members are NULL: not said */
};

/* An image manifest: config and layers; an index: manifests. */
struct manifest {
	int schema_version;
	char *media_type; /* NULL: not said */
	struct descriptor config;
	struct descriptor *layers; /* lowest first */
	size_t n_layers;
	struct descriptor *manifests;
	size_t n_manifests;
};

#define INDEX_MANIFESTS_MAX 1024

/* type: MEDIA_INDEX or MEDIA_MANIFEST, from the descriptor (index.json is an index). */
int manifest_parse(const char *text, size_t n, enum media_type type, struct manifest *ret, struct err *e);
void manifest_done(struct manifest *m);
/* Is it for this machine?  What does not say is for any. */
bool platform_fits(const struct platform *p);
/* The host's name among OCI's architectures: "amd64". */
const char *platform_host(void);
/* The value of an annotation, or NULL; borrowed. */
const char *descriptor_annotation(const struct descriptor *d, const char *key);

/* One element of manifest.json in what `docker save` writes. */
struct docker_image {
	char *config; /* path of a file in the archive */
	struct strv repo_tags;
	struct strv layers; /* paths, lowest first */
};

#define DOCKER_IMAGES_MAX 256

int docker_manifest_parse(const char *text, size_t n, struct docker_image **ret, size_t *ret_n,
			  struct err *e);
void docker_images_free(struct docker_image *images, size_t n);

#endif

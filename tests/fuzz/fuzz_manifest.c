/* fuzz_manifest.c - any text as a manifest, an index, and docker's manifest.json: never as two of them */
#include <stdlib.h>

#include "oci/manifest.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *text = (const char *)data;
	struct docker_image *images = NULL;
	struct manifest m, index;
	bool is_manifest, is_index, is_docker;
	struct err e = { 0 };
	size_t n = 0;

	is_manifest = manifest_parse(text, size, MEDIA_MANIFEST, &m, &e) == 0;
	is_index = manifest_parse(text, size, MEDIA_INDEX, &index, &e) == 0;
	is_docker = docker_manifest_parse(text, size, &images, &n, &e) == 0;
	if (is_manifest + is_index + is_docker > 1)
		abort();
	if (is_manifest)
		manifest_done(&m);
	if (is_index)
		manifest_done(&index);
	if (is_docker)
		docker_images_free(images, n);
	return 0;
}

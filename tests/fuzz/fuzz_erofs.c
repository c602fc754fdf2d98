/* fuzz_erofs.c - any bytes as a layer, compressed or not: refused, or an EROFS that keeps every rule of the format,
 * and that gives the same bytes again
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../unit/unpack/erofs_check.h"
#include "base/verity.h"
#include "unpack/tar.h"

#define SIZE_MAX_CHECKED (64 << 20)

static int scratch;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerInitialize(int *argc, char ***argv);

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	setlocale(LC_CTYPE, "C.UTF-8");
	scratch = open("/dev/shm", O_RDONLY | O_DIRECTORY);
	return scratch < 0 ? -1 : 0;
}

static void check_file(int fd, const struct tree *tree)
{
	uint8_t digest[SHA256_BYTES];
	const char *rule;
	struct stat st;
	void *file;

	if (fstat(fd, &st) < 0 || st.st_size > SIZE_MAX_CHECKED)
		return;
	file = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
	if (file == MAP_FAILED)
		abort();
	rule = erofs_check(file, (size_t)st.st_size);
	if (rule) {
		fprintf(stderr, "broken rule: %s\n", rule);
		abort();
	}
	munmap(file, (size_t)st.st_size);
	if (verity_of_file(fd, digest) < 0 || memcmp(digest, tree_verity(tree), SHA256_BYTES) != 0)
		abort();
}

/* The archive again, from the layer and what was kept of it. */
static void check_again(int fd, int skeleton_fd, struct hash *tar)
{
	struct source *s = source_skeleton(source_decode(source_file(skeleton_fd, 0, -1)), fd);
	struct hash *h = hash_new();
	struct digest is, was;
	struct err e = { 0 };

	s = source_hash(s, h);
	if (!s || lseek(skeleton_fd, 0, SEEK_SET) < 0)
		abort();
	if (source_drain(s, &e) == 0) {
		hash_end(h, &is);
		hash_end(tar, &was);
		if (!digest_equal(&is, &was))
			abort();
	} else if (!strstr(e.msg, "bomb")) {
		fprintf(stderr, "%s\n", e.msg);
		abort();
	}
	source_free(s);
	hash_free(h);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct hash *h = hash_new();
	struct source *s = source_hash(source_decode(source_memory(data, size)), h);
	int fd = memfd_create("layer", MFD_CLOEXEC), skeleton_fd = memfd_create("skeleton", MFD_CLOEXEC);
	struct skeleton *skeleton = NULL;
	struct tree *tree = NULL;
	struct err e = { 0 };
	uint64_t bytes;
	bool complete;

	if (s && fd >= 0 && tree_open_erofs(fd, scratch, &tree, &e) == 0 &&
	    skeleton_open(skeleton_fd, &skeleton, &e) == 0 &&
	    tar_unpack(s, &(const struct tar_into){ tree, skeleton }, &complete, &e) == 0 &&
	    skeleton_end(skeleton, &bytes, &e) == 0) {
		check_file(fd, tree);
		check_again(fd, skeleton_fd, h);
	}
	skeleton_close(skeleton);
	tree_close(tree);
	source_free(s);
	hash_free(h);
	close(fd);
	close(skeleton_fd);
	return 0;
}

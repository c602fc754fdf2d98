/* fuzz_erofs.c - any bytes as a layer, compressed or not: refused, or an EROFS that keeps every rule of the format */
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

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct source *s = source_decode(source_memory(data, size));
	int fd = memfd_create("layer", MFD_CLOEXEC);
	struct tree *tree = NULL;
	struct err e = { 0 };
	bool complete;

	if (s && fd >= 0 && tree_open_erofs(fd, scratch, &tree, &e) == 0 &&
	    tar_unpack(s, tree, &complete, &e) == 0)
		check_file(fd, tree);
	tree_close(tree);
	source_free(s);
	close(fd);
	return 0;
}

/* erofs_tool.c - TAR OUT: a tar file (any compression) as one EROFS file; prints its fs-verity digest
 *
 * Exit status 1 and one line: it was refused.
 */
#include <fcntl.h>
#include <locale.h>
#include <stdio.h>

#include "base/auto.h"
#include "base/parse.h"
#include "unpack/tar.h"

static int convert(int in, int out, int scratch, struct err *e)
{
	struct source *s = source_thread(source_decode(source_file(in, 0, -1)));
	struct tree *tree = NULL;
	char hex[SHA256_HEX];
	bool complete;
	int r = tree_open_erofs(out, scratch, &tree, e);

	if (r == 0)
		r = tar_unpack(s, tree, &complete, e);
	if (r == 0) {
		hex_encode(tree_verity(tree), SHA256_BYTES, hex);
		printf("sha256:%s\n", hex);
	}
	tree_close(tree);
	source_free(s);
	return r;
}

int main(int argc, char **argv)
{
	autoclose int in = argc == 3 ? open(argv[1], O_RDONLY) : -1;
	autoclose int out = argc == 3 ? open(argv[2], O_RDWR | O_CREAT | O_TRUNC, 0644) : -1;
	autoclose int scratch = open(".", O_RDONLY | O_DIRECTORY);
	struct err e = { 0 };

	if (in < 0 || out < 0 || scratch < 0) {
		fprintf(stderr, "usage: erofs_tool TAR OUT\n");
		return 2;
	}
	setlocale(LC_CTYPE, "C.UTF-8");
	if (convert(in, out, scratch, &e) == 0)
		return 0;
	fprintf(stderr, "%s\n", e.msg);
	return 1;
}

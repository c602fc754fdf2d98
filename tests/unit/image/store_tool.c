/* store_tool.c - the store from a command line, for tests: STORE VERB [ARGUMENT...] */
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "image/store.h"

static void say(void *arg, const char *line)
{
	fprintf(stderr, "... %s\n", line);
}

static void print_all(const struct strv *lines)
{
	for (size_t i = 0; i < lines->n; i++)
		puts(lines->v[i]);
}

static int import(struct image_store *s, char **a, struct err *e)
{
	autofree char *id = NULL;
	int r = image_import(s, &(struct image_import){ .path = a[0], .ref = a[1], .progress = say }, &id, e);

	if (r == 0)
		puts(id);
	return r;
}

static int load(struct image_store *s, char **a, struct err *e)
{
	AUTO(strv_done) struct strv refs = { 0 };
	int r = image_load(s, a[0], say, NULL, &refs, e);

	print_all(&refs);
	return r;
}

static int list(struct image_store *s, char **a, struct err *e)
{
	struct image *images = NULL;
	size_t n = 0;
	int r = image_list(s, &images, &n, e);

	for (size_t i = 0; i < n; i++) {
		printf("%s %llu", images[i].id, (unsigned long long)images[i].size_bytes);
		for (size_t k = 0; k < images[i].refs.n; k++)
			printf(" %s", images[i].refs.v[k]);
		puts("");
		image_done(&images[i]);
	}
	free(images);
	return r;
}

static int find(struct image_store *s, char **a, struct err *e)
{
	AUTO(buf_done) struct buf b = { 0 };
	struct image im = { 0 };
	int r = image_find(s, a[0], &im, e);

	if (r < 0)
		return r;
	json_print(&image_config_table, &im.config, JSON_PRETTY, &b);
	printf("%s\n%s\n", im.id, b.data);
	image_done(&im);
	return 0;
}

static int tag(struct image_store *s, char **a, struct err *e)
{
	return image_tag(s, a[0], a[1], e);
}

static int rmi(struct image_store *s, char **a, struct err *e)
{
	AUTO(strv_done) struct strv lines = { 0 };
	int r = image_remove(s, a[0], false, a[1] != NULL, &lines, e);

	print_all(&lines);
	return r;
}

static int erofs(struct image_store *s, char **a, struct err *e)
{
	struct image im = { 0 };
	autoclose int fd = -1;
	int r = image_find(s, a[0], &im, e);

	if (r < 0)
		return r;
	fd = image_erofs_open(s, &im, say, NULL, e);
	printf("%s\n", im.id);
	image_done(&im);
	return fd < 0 ? fd : 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int n;
		int (*fn)(struct image_store *s, char **a, struct err *e);
	} verbs[] = { { "import", 1, import }, { "load", 1, load }, { "list", 0, list },  { "find", 1, find },
		      { "tag", 2, tag },       { "rmi", 1, rmi },   { "erofs", 1, erofs } };
	struct image_store *s = NULL;
	struct err e = { 0 };
	int r = -1;

	for (size_t i = 0; argc > 2 && i < ARRAY_LEN(verbs); i++) {
		if (strcmp(argv[2], verbs[i].name) != 0 || argc - 3 < verbs[i].n)
			continue;
		r = image_store_open(argv[1], true, &s, &e);
		if (r == 0)
			r = verbs[i].fn(s, argv + 3, &e);
	}
	if (r < 0)
		fprintf(stderr, "store_tool: %s\n", e.msg);
	image_store_close(s);
	return r < 0;
}

/* image_packages.c - ketch image packages: which packages an image has, as their managers' files tell */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/listing.h"
#include "image/packages.h"

struct packages_args {
	char *format;
};

static const struct opt packages_opts[] = {
	LISTING_FORMAT(struct packages_args, format),
	{ 0 },
};

/* All borrowed. */
struct packages_row {
	const char *arch, *name, *path, *type, *version;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct packages_row, arch, "Arch"),	    JK(J_STR, struct packages_row, name, "Name"),
	JK(J_STR, struct packages_row, path, "Path"),	    JK(J_STR, struct packages_row, type, "Type"),
	JK(J_STR, struct packages_row, version, "Version"), { 0 },
};
static const struct jtable row_table = { sizeof(struct packages_row), row_fields };

static const struct listing_form packages_form = {
	.row = &row_table,
	.columns = (const struct column[]){ { 0 } },
	.table = "table {{.Type}}\t{{.Name}}\t{{.Version}}\t{{.Arch}}",
};

static int compare_rows(const void *a, const void *b)
{
	const struct packages_row *x = a, *y = b;
	int r = strcmp(x->type, y->type);

	if (!r)
		r = strcmp(x->name, y->name);
	if (!r)
		r = strcmp(x->version, y->version);
	if (!r)
		r = strcmp(x->arch, y->arch);
	return r ? r : strcmp(x->path, y->path);
}

/* All packages, sorted; free() it. */
static struct packages_row *make_rows(const struct image_packages *p, size_t *ret_n)
{
	struct packages_row *rows;
	size_t n = 0;

	for (size_t i = 0; i < p->n; i++)
		n += p->files[i].n;
	rows = calloc(n + 1, sizeof(*rows));
	if (!rows)
		return NULL;
	n = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct package_file *f = &p->files[i];

		for (size_t k = 0; k < f->n; k++) {
			const struct package *pkg = &f->packages[k];

			rows[n++] = (struct packages_row){ pkg->arch ? pkg->arch : "", pkg->name, f->path,
							   f->type, pkg->version };
		}
	}
	qsort(rows, n, sizeof(*rows), compare_rows);
	*ret_n = n;
	return rows;
}

/* What is not in the list. */
static void say_problems(const struct image_packages *p, const struct image *im, const char *name)
{
	for (size_t i = 0; i < p->n; i++) {
		struct package_file *f = &p->files[i];

		if (!f->problem)
			continue;
		str_make_printable(f->path);
		str_make_printable(f->problem);
		fprintf(stderr, "ketch: %s: /%s: %s\n", name, f->path, f->problem);
	}
	if (p->n_unknown)
		fprintf(stderr,
			"ketch: %s: %zu of its %zu layers came before packages were noted: remove the image "
			"and pull "
			"or load it again to see theirs\n",
			name, p->n_unknown, im->config.rootfs.diff_ids.n);
}

static int packages_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(listing_done) struct listing l = { 0 };
	AUTO(image_packages_done) struct image_packages p = { 0 };
	AUTO(image_done) struct image im = { 0 };
	const struct packages_args *a = args;
	autofree struct packages_row *rows = NULL;
	struct image_store *s;
	size_t n = 0;
	int r = listing_begin(&l, &packages_form, a->format, false, e);

	if (r < 0)
		return r;
	s = cli_images(c, e);
	r = s ? image_find(s, words->v[0], &im, e) : -e->no;
	if (r == 0)
		r = image_packages(s, &im, &p, e);
	if (r < 0)
		return r;
	rows = make_rows(&p, &n);
	if (!rows)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < n && r == 0; i++)
		r = listing_add(&l, &rows[i], e);
	if (r == 0)
		r = listing_print(&l, e);
	if (r == 0)
		say_problems(&p, &im, words->v[0]);
	return r;
}

const struct command cmd_image_packages = {
	.name = "image packages",
	.usage = "IMAGE",
	.summary = "List the packages that an image has",
	.text = "They are noted when the image is pulled, loaded, imported or committed, from the files of "
		"dpkg, apk "
		"and rpm (SQLite), from Python's METADATA, and from lock files of npm, Yarn, pnpm, Cargo, "
		"Go, Poetry, "
		"uv, PDM, "
		"Pipenv, pip (what requirements.txt pins), Composer and Bundler.  What cannot be read is "
		"named on "
		"stderr.\n"
		"Fields of --format: .Type .Name .Version .Arch .Path",
	.opts = packages_opts,
	.args_size = sizeof(struct packages_args),
	.min_words = 1,
	.max_words = 1,
	.words = WORDS_IMAGE,
	.run = packages_run,
};

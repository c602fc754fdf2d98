/* package.c - packages that a layer holds: the list as it grows, and its JSON */
#include "packages/package.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static const struct jfield package_fields[] = {
	JR(J_STR, struct package, name, "name"),
	JR(J_STR, struct package, version, "version"),
	J(J_STR, struct package, arch),
	{ 0 },
};
static const struct jtable package_table = { sizeof(struct package), package_fields };

static const struct jfield file_fields[] = {
	JR(J_STR, struct package_file, path, "path"),
	JR(J_STR, struct package_file, type, "type"),
	J(J_STR, struct package_file, problem),
	JA(struct package_file, packages, n, "packages", &package_table),
	{ 0 },
};
const struct jtable package_file_table = { sizeof(struct package_file), file_fields };

void package_file_done(struct package_file *f)
{
	json_done(&package_file_table, f);
}

static bool is_word(struct package_word w)
{
	if (!w.n || w.n > PACKAGE_WORD_MAX)
		return false;
	for (size_t i = 0; i < w.n; i++)
		if (w.text[i] <= ' ' || w.text[i] > '~')
			return false;
	return true;
}

int package_add(struct package_file *f, struct package_word name, struct package_word version,
		struct package_word arch, struct err *e)
{
	struct package *list = f->packages, *p;

	if (f->n + f->n_bad >= PACKAGES_FILE_MAX)
		return err_set(e, E2BIG, "it has more than %d packages", PACKAGES_FILE_MAX);
	if (!is_word(name) || !is_word(version) || (arch.n && !is_word(arch))) {
		f->n_bad++;
		return 0;
	}
	if ((f->n & (f->n - 1)) == 0) { /* grows at powers of two */
		list = reallocarray(list, f->n ? f->n * 2 : 1, sizeof(*list));
		if (!list)
			return err_set(e, ENOMEM, "out of memory");
		f->packages = list;
	}
	p = &list[f->n++];
	*p = (struct package){ strndup(name.text, name.n), strndup(version.text, version.n),
			       arch.n ? strndup(arch.text, arch.n) : NULL };
	return p->name && p->version && (p->arch || !arch.n) ? 0 : err_set(e, ENOMEM, "out of memory");
}

/* search.c - ketch search: which images a registry has */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "cli/commands.h"
#include "cli/filters.h"
#include "cli/listing.h"
#include "cli/text.h"
#include "image/push.h"

#define LIMIT_DEFAULT 25
#define LIMIT_MAX     100
#define DESCRIPTION   45 /* characters of it, where it is cut */

struct search_args {
	struct strv filters;
	char *format, *auth_file, *cert_dir;
	bool no_trunc;
	int64_t limit;
	int timeout_s;
};

static const struct opt search_opts[] = {
	OPT(STR, 0, "authfile", struct search_args, auth_file, "FILE",
	    "Look for credentials in this file alone"),
	OPT(STR, 0, "cert-dir", struct search_args, cert_dir, "DIR", "In place of /etc/containers/certs.d"),
	OPT(LIST, 'f', "filter", struct search_args, filters, "KEY=VALUE",
	    "Only these: is-official=, stars="),
	LISTING_FORMAT(struct search_args, format),
	OPT(INT, 0, "limit", struct search_args, limit, "NUMBER", "At most so many; 25"),
	OPT(FLAG, 0, "no-trunc", struct search_args, no_trunc, NULL, "Do not shorten descriptions"),
	OPT(SECONDS, 0, "timeout", struct search_args, timeout_s, "SECONDS",
	    "Give up on a server that is silent for so long; 30"),
	OPT_REFUSE(0, "list-tags",
		   "ketch pull --all-tags pulls them; to see them alone there is skopeo list-tags"),
	{ 0 },
};

struct search_row {
	char *name, *description, *stars, *official;
};

static const struct jfield row_fields[] = {
	JK(J_STR, struct search_row, description, "Description"),
	JK(J_STR, struct search_row, official, "IsOfficial"),
	JK(J_STR, struct search_row, name, "Name"),
	JK(J_STR, struct search_row, stars, "StarCount"),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct search_row), row_fields };

static const struct column columns[] = { { "IsOfficial", "OFFICIAL" }, { "StarCount", "STARS" }, { 0 } };
static const struct listing_form form = {
	.row = &row_table,
	.columns = columns,
	.quiet = "{{.Name}}",
	.table = "table {{.Name}}\t{{.Description}}\t{{.StarCount}}\t{{.IsOfficial}}",
};

static bool fits_official(const void *obj, const char *value, void *arg)
{
	return ((const struct registry_found *)obj)->official ==
	       (!strcmp(value, "true") || !strcmp(value, "1"));
}

static bool fits_stars(const void *obj, const char *value, void *arg)
{
	return ((const struct registry_found *)obj)->stars >= strtoull(value, NULL, 10);
}

static const struct filter_kind kinds[] = {
	{ .key = "is-official", .choices = "true|false|1|0", .fits = fits_official },
	{ .key = "stars", .fits = fits_stars },
	{ 0 },
};

static int add_row(struct listing *l, const struct registry_found *f, bool no_trunc, struct err *e)
{
	AUTO(buf_done) struct buf description = { 0 }, stars = { 0 };
	char none[] = "", ok[] = "[OK]";
	/* borrowed: only printed */
	struct search_row row = { .name = f->name, .description = none, .official = none };

	if (f->official)
		row.official = ok;
	if (!f->name)
		return 0;
	text_add_cut(&description, f->description ? f->description : "", no_trunc ? SIZE_MAX : DESCRIPTION);
	buf_addf(&stars, "%llu", (unsigned long long)f->stars);
	if (!buf_ok(&description) || !buf_ok(&stars))
		return err_set(e, ENOMEM, "out of memory");
	if (description.data)
		row.description = description.data;
	row.stars = stars.data;
	return listing_add(l, &row, e);
}

/* "host:5000/words" asks that host, words alone Docker's index. */
static int find_server(const struct search_args *a, const char *term, struct registry_endpoint *ret,
		       const char **ret_words, struct err *e)
{
	const struct registry_files files = { .auth = a->auth_file, .cert_dir = a->cert_dir };
	const char *slash = strchr(term, '/');
	autofree char *host = slash ? strndup(term, (size_t)(slash - term)) : NULL;
	int r;

	*ret_words = term;
	if (host && (strpbrk(host, ".:") || !strcmp(host, "localhost"))) {
		*ret_words = slash + 1;
		return registry_resolve_server(&files, host, ret, e);
	}
	r = registry_resolve_server(&files, "docker.io", ret, e);
	if (r < 0)
		return r;
	free(ret->server);
	ret->server = strdup("index.docker.io");
	return ret->server ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int search_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	AUTO(registry_endpoint_done) struct registry_endpoint ep = { 0 };
	AUTO(images_found_done) struct images_found found = { 0 };
	AUTO(listing_done) struct listing l = { 0 };
	struct search_args *a = args;
	const char *term;
	int r = listing_begin(&l, &form, a->format, false, e);

	if (a->limit < 1 || a->limit > LIMIT_MAX)
		return err_set(e, EINVAL, "--limit is from 1 to %d", LIMIT_MAX);
	if (r == 0)
		r = filters_check(kinds, &a->filters, e);
	if (r == 0)
		r = find_server(a, words->v[0], &ep, &term, e);
	if (r == 0)
		r = image_search(&ep, term, (int)a->limit, a->timeout_s, &found, e);
	for (size_t i = 0; r == 0 && i < found.n; i++)
		if (filters_fit(kinds, &a->filters, &found.list[i], NULL))
			r = add_row(&l, &found.list[i], a->no_trunc, e);
	return r < 0 ? r : listing_print(&l, e);
}

static const struct search_args search_defaults = { .limit = LIMIT_DEFAULT };
const struct command cmd_search = {
	.name = "search",
	.usage = "[HOST/]WORDS",
	.summary = "Look for images in Docker's index or in a registry",
	.text = "Registries have no common way to search.  A HOST that has no index is asked for the list of "
		"all its repositories, if it gives one, and the words are looked for in their names; "
		"stars and descriptions it does not have.\n\n"
		"Fields of --format: .Name .Description .StarCount .IsOfficial",
	.opts = search_opts,
	.args_size = sizeof(struct search_args),
	.defaults = &search_defaults,
	.min_words = 1,
	.max_words = 1,
	.run = search_run,
};

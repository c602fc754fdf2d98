/* resolve.c - names on networks, from the documents that their name services answer from */
#include "engine/resolve.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "engine/engine_int.h"
#include "network/names_table.h"

#define NAMES_MAX (16 << 20)
#define ASKED_MAX (1 << 20)

struct search {
	struct strv running; /* ids */
	struct strv *found;
	struct dns_name name; /* len 0: none */
	struct ip ip; /* family 0: none */
	const char *network;
	bool network_seen;
};

static int list_running(struct engine *en, struct strv *ret, struct err *e)
{
	struct instance *list;
	size_t n;
	int r = engine_list(en, false, &list, &n, e);

	if (r < 0)
		return r;
	for (size_t i = 0; i < n && r == 0; i++)
		r = strv_add(ret, list[i].spec.id);
	instances_free(list, n);
	return r < 0 ? err_set(e, ENOMEM, "out of memory") : 0;
}

static int add(struct search *s, const struct names_host *h, const char *text)
{
	if (!strv_has(&s->running, h->entry->instance) || strv_has(s->found, text))
		return 0;
	return strv_add(s->found, text);
}

static int add_addresses(struct search *s, const struct names_host *h)
{
	char text[IP_TEXT_MAX];
	int r = 0;

	if (h->address.family)
		r = add(s, h, ip_print(&h->address, text));
	if (r == 0 && h->address6.family)
		r = add(s, h, ip_print(&h->address6, text));
	return r;
}

static int search_table(struct search *s, const struct names_table *t)
{
	const struct names_host *at = s->ip.family ? names_table_at(t, NULL, &s->ip) : NULL;
	size_t n = 0;
	const struct names_key *k = s->name.len ? names_table_find(t, NULL, &s->name, &n) : NULL;
	int r = 0;

	if (at && at->name.len) {
		char text[DNS_TEXT_MAX];

		r = add(s, at, dns_name_print(&at->name, text));
	}
	for (size_t i = 0; i < n && r == 0; i++)
		r = add_addresses(s, &t->hosts[k[i].host]);
	return r;
}

/* RUN_ROOT/networks/ID/names; what cannot be read has nobody on it. */
static int search_network(struct search *s, int dir, const char *id)
{
	autofree char *path = str_printf("%s/names", id);
	AUTO(buf_done) struct buf text = { 0 };
	AUTO(names_table_done) struct names_table t = { 0 };

	if (!path)
		return -ENOMEM;
	if (read_file(dir, path, NAMES_MAX, &text) < 0 || !text.data ||
	    names_table_parse(text.data, text.len, &t, NULL) < 0)
		return 0;
	if (s->network && strcmp(t.file.network, s->network) != 0 && strcmp(id, s->network) != 0)
		return 0;
	s->network_seen = true;
	return search_table(s, &t);
}

static int search_all(struct engine *en, struct search *s)
{
	int fd = openat(en->run_fd, "networks", O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *d;

	if (!list && fd >= 0)
		close(fd);
	while (list && r == 0 && (d = readdir(list)))
		if (d->d_name[0] != '.')
			r = search_network(s, dirfd(list), d->d_name);
	if (list)
		closedir(list);
	return r;
}

int engine_resolve(struct engine *en, const char *what, const char *network, struct strv *ret, struct err *e)
{
	AUTO(strv_done) struct strv found = { 0 };
	struct search s = { .found = &found, .network = network };
	int r;

	if (ip_parse(what, &s.ip) < 0 && dns_name_parse(what, &s.name) < 0)
		return err_set(e, EINVAL, "%.80s is neither a name nor an address", what);
	r = list_running(en, &s.running, e);
	if (r == 0 && search_all(en, &s) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	strv_done(&s.running);
	if (r < 0)
		return r;
	if (network && !s.network_seen)
		return err_set(e, ENOENT, "nobody is on a network %.80s", network);
	if (!found.n)
		return err_set(e, ENOENT, "nobody is %s %.80s", s.ip.family ? "at" : "called", what);
	*ret = found;
	found = (struct strv){ 0 };
	return 0;
}

/* --- what was asked for */

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static int take_lines(const char *text, struct strv *ret)
{
	AUTO(strv_done) struct strv lines = { 0 };
	int r = strv_split(&lines, text, "\n");

	if (r < 0)
		return r;
	qsort(lines.v, lines.n, sizeof(*lines.v), by_text);
	for (size_t i = 0; i < lines.n && r == 0; i++)
		if (*lines.v[i] && (!ret->n || strcmp(lines.v[i], ret->v[ret->n - 1]) != 0))
			r = strv_add(ret, lines.v[i]);
	return r;
}

int engine_asked(struct engine *en, const struct instance *in, struct strv *ret, struct err *e)
{
	autoclose int dir = truth_dir_open(en, in->spec.id);
	AUTO(buf_done) struct buf text = { 0 };
	struct strv lines = { 0 };
	int r = dir < 0 ? dir : read_file(dir, "asked", ASKED_MAX, &text);

	if (r == -ENOENT && dir >= 0)
		return err_set(e, ENOENT, "%s has not learnt any name; it does with --egress learn",
			       in->spec.name);
	if (r < 0)
		return err_sys(e, -r, "names that %s has asked for", in->spec.name);
	if (take_lines(text.data ? text.data : "", &lines) < 0) {
		strv_done(&lines);
		return err_set(e, ENOMEM, "out of memory");
	}
	*ret = lines;
	return 0;
}

/* sample.c - what instances use now, read again and again */
#include "cli/sample.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"

static void free_list(struct sample *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		instance_done(&v[i].in);
	free(v);
}

void samples_done(struct samples *s)
{
	free_list(s->v, s->n);
	free_list(s->before, s->n_before);
	*s = (struct samples){ 0 };
}

static int find_named(struct engine *en, const struct strv *names, struct instance **ret, size_t *ret_n,
		      struct err *e)
{
	struct instance *list = calloc(names->n + 1, sizeof(*list));
	size_t n = 0;
	int r = list ? 0 : err_set(e, ENOMEM, "out of memory");

	for (size_t i = 0; i < names->n && r == 0; i++) {
		r = engine_find(en, names->v[i], &list[n], e);
		n += r == 0;
	}
	if (r < 0) {
		instances_free(list, n);
		return r;
	}
	*ret = list;
	*ret_n = n;
	return 0;
}

static double percent(uint64_t now_ns, uint64_t before_ns, int64_t passed_ns)
{
	return now_ns > before_ns && passed_ns > 0 ? 100.0 * (double)(now_ns - before_ns) / (double)passed_ns
						   : 0;
}

static void compare(const struct samples *s, struct sample *x)
{
	for (size_t i = 0; i < s->n_before; i++) {
		const struct sample *b = &s->before[i];
		int64_t passed = x->now.at_ns - b->now.at_ns;

		if (!b->answered || strcmp(b->in.spec.id, x->in.spec.id))
			continue;
		x->compared = true;
		x->cpu_percent = percent(x->now.inside.cpu_ns, b->now.inside.cpu_ns, passed);
		x->host_cpu_percent = x->in.spec.isolation == ISOLATION_VM
					      ? percent(x->now.host.cpu_ns, b->now.host.cpu_ns, passed)
					      : x->cpu_percent;
	}
}

static void measure(const struct samples *s, struct engine *en, struct sample *x)
{
	if (x->in.state.status != STATUS_RUNNING && x->in.state.status != STATUS_PAUSED)
		return;
	/* one that ends or hangs just now is shown without numbers */
	x->answered = engine_usage(en, &x->in, &x->now, NULL) == 0;
	if (x->answered)
		compare(s, x);
}

int samples_take(struct samples *s, struct engine *en, const struct strv *names, bool all, struct err *e)
{
	struct instance *list = NULL;
	struct sample *v;
	size_t n = 0;
	int r = names->n ? find_named(en, names, &list, &n, e) : engine_list(en, all, &list, &n, e);

	if (r < 0)
		return r;
	v = calloc(n + 1, sizeof(*v));
	if (!v) {
		instances_free(list, n);
		return err_set(e, ENOMEM, "out of memory");
	}
	free_list(s->before, s->n_before);
	s->before = s->v;
	s->n_before = s->n;
	s->v = v;
	s->n = n;
	for (size_t i = 0; i < n; i++) {
		v[i].in = list[i];
		measure(s, en, &v[i]);
	}
	free(list);
	return 0;
}

uint64_t sample_memory(const struct sample *s)
{
	return s->now.inside.memory_bytes - s->now.inside.cache_bytes;
}

uint64_t sample_host_memory(const struct sample *s)
{
	return s->in.spec.isolation == ISOLATION_VM ? s->now.host.memory_bytes : s->now.inside.memory_bytes;
}

void add_binary_size(struct buf *b, uint64_t bytes)
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	double v = (double)bytes;
	size_t i = 0;

	for (; v >= 1024 && i + 1 < ARRAY_LEN(units); i++)
		v /= 1024;
	buf_addf(b, "%.4g%s", v, units[i]);
}

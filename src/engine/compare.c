/* compare.c - runs the probe and the workload behind both walls, one after the other
 *
 * How it works: for each wall first one start that is not counted (it makes what is made once: the EROFS file, the
 * initramfs, the seccomp filter), then some that are, then the workload, then the probe that measures from inside
 * and idles while the host looks at what that costs.  The probe is a static program of ours, bind-mounted read-only.
 */
#include "engine/compare.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/self.h"
#include "engine/compare_int.h"
#include "engine/engine_int.h"
#include "seccomp/seccomp.h"

#define PROBE_INSIDE	 "/.ketch-probe"
#define START_LIMIT_MS	 60000
#define PROBE_LIMIT_MS	 90000
#define WORK_LIMIT_MS	 30000
#define STARTS_CONTAINER 10
#define STARTS_VM	 3

static const struct jfield row_fields[] = {
	J(J_STR, struct compare_row, group),
	J(J_STR, struct compare_row, metric),
	J(J_STR, struct compare_row, unit),
	J(J_STR, struct compare_row, container),
	J(J_STR, struct compare_row, vm),
	J(J_STR, struct compare_row, note),
	{ 0 },
};
static const struct jtable row_table = { sizeof(struct compare_row), row_fields };

static const struct jfield report_fields[] = {
	J(J_STR, struct compare_report, image),
	J(J_STR, struct compare_report, workload),
	JK(J_STR, struct compare_report, container_error, "containerError"),
	JK(J_STR, struct compare_report, vm_error, "vmError"),
	JA(struct compare_report, rows, n, "rows", &row_table),
	{ 0 },
};
const struct jtable compare_report_table = { sizeof(struct compare_report), report_fields };

struct comparison {
	struct engine *en;
	const struct compare_request *rq;
	char *volume; /* "PATH:/.ketch-probe:ro" */
};

static void say(const struct comparison *c, const struct wall *w, const char *what)
{
	autofree char *line = str_printf("%s: %s", isolation_names[w->isolation], what);

	if (line && c->en->progress)
		c->en->progress(c->en->progress_arg, line);
}

/* The probe as the instance's process, as root so that it may write anywhere in the writable layer. */
static int run_probe(const struct comparison *c, const struct wall *w, const char *verb,
		     struct run_result *ret, struct err *e)
{
	const struct run_wish wish = { .until_line = true,
				       .deadline_ms = verb[0] == 'r' ? START_LIMIT_MS : PROBE_LIMIT_MS };
	char *args[] = { (char *)(uintptr_t)verb, NULL }, *volumes[] = { c->volume, NULL };
	char probe[] = PROBE_INSIDE, user[] = "0:0";
	const struct run_request rq = { .image = c->rq->image,
					.args = { args, 1 },
					.isolation = w->isolation,
					.entrypoint = probe,
					.user = user,
					.volumes = { volumes, 1 },
					.auto_remove = true };
	int r = compare_run(c->en, &rq, &wish, ret, e);

	if (r < 0)
		return r;
	if (ret->out.len && memchr(ret->out.data, '\n', ret->out.len))
		return 0;
	run_result_done(c->en, ret);
	if (ret->status < 0)
		return err_set(e, ETIMEDOUT, "the probe said nothing for %d s", wish.deadline_ms / 1000);
	return err_set(e, EIO, "the probe ended with status %d and said nothing", ret->status);
}

static int by_value(const void *a, const void *b)
{
	int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;

	return x < y ? -1 : x > y;
}

static int time_starts(const struct comparison *c, struct wall *w, struct err *e)
{
	size_t n = w->isolation == ISOLATION_VM ? STARTS_VM : STARTS_CONTAINER;

	for (size_t i = 0; i <= n; i++) {
		struct run_result res;
		int r;

		say(c, w, i ? "starting" : "first start");
		r = run_probe(c, w, "ready", &res, e);
		if (r < 0)
			return r;
		w->emulated = w->isolation == ISOLATION_VM && !res.spec.vm.accel_kvm;
		if (i)
			w->starts_ns[w->n_starts++] = res.first_ns;
		run_result_done(c->en, &res);
	}
	qsort(w->starts_ns, w->n_starts, sizeof(w->starts_ns[0]), by_value);
	return 0;
}

static int run_workload(const struct comparison *c, struct wall *w, struct err *e)
{
	const struct run_request rq = {
		.image = c->rq->image, .args = c->rq->args, .isolation = w->isolation, .auto_remove = true
	};
	const struct run_wish wish = { .deadline_ms = WORK_LIMIT_MS };
	struct run_result res;
	int r;

	say(c, w, "running the workload");
	r = compare_run(c->en, &rq, &wish, &res, e);
	if (r < 0)
		return r;
	w->workload_first_ns = res.first_ns;
	w->workload_ns = res.total_ns;
	w->workload_status = res.status;
	w->workload_stopped = res.status < 0;
	run_result_done(c->en, &res);
	return 0;
}

static int count_syscalls(const struct comparison *c, const struct instance_spec *s)
{
	autofree char *cache = str_printf("%s/seccomp", c->en->root);
	autoclose int fd = cache && s->seccomp ? seccomp_filter_reopen(cache, s->seccomp, NULL) : -1;

	return fd < 0 ? -1 : compare_count_syscalls(fd);
}

static int measure_inside(const struct comparison *c, struct wall *w, struct err *e)
{
	struct run_result res;
	int r;

	say(c, w, "measuring");
	r = run_probe(c, w, "measure", &res, e);
	if (r < 0)
		return r;
	r = json_parse(&probe_table, res.out.data, res.out.len, JSON_STRICT, &w->probe, e);
	if (r < 0)
		err_wrap(e, r, "the probe's report");
	else
		r = compare_cost(c->en, &res.spec, &w->cost, e);
	w->syscalls = count_syscalls(c, &res.spec);
	run_result_done(c->en, &res);
	return r;
}

/* A wall that does not work keeps its reason; the other one is measured all the same. */
static void measure_wall(const struct comparison *c, struct wall *w)
{
	struct err e = { 0 };
	int r = time_starts(c, w, &e);

	if (r == 0)
		r = run_workload(c, w, &e);
	if (r == 0)
		r = measure_inside(c, w, &e);
	if (r < 0)
		w->error = e;
}

static char *workload_text(const struct compare_request *rq)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < rq->args.n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", rq->args.v[i]);
	if (!rq->args.n)
		buf_adds(&b, "the image's own command");
	return buf_take(&b);
}

static int make_report(const struct comparison *c, const struct wall *container, const struct wall *vm,
		       struct compare_report *r)
{
	r->image = strdup(c->rq->image);
	r->workload = workload_text(c->rq);
	if (!r->image || !r->workload)
		return -ENOMEM;
	if (container->error.no)
		r->container_error = strdup(container->error.msg);
	if (vm->error.no)
		r->vm_error = strdup(vm->error.msg);
	return compare_add_rows(container, vm, r);
}

static int find_probe(struct comparison *c, struct err *e)
{
	autofree char *path = self_program("ketch-probe");

	if (!path)
		return err_set(e, ENOENT, "the program ketch-probe cannot be found");
	c->volume = str_printf("%s:" PROBE_INSIDE ":ro", path);
	return c->volume ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int check_image(struct engine *en, const char *name, struct err *e)
{
	struct image im = { 0 };
	int r = image_find(en->images, name, &im, e);

	image_done(&im);
	return r;
}

int engine_compare(struct engine *en, const struct compare_request *rq, struct compare_report *ret,
		   struct err *e)
{
	struct comparison c = { .en = en, .rq = rq };
	struct wall container = { .isolation = ISOLATION_CONTAINER, .workload_first_ns = -1 };
	struct wall vm = { .isolation = ISOLATION_VM, .workload_first_ns = -1 };
	struct compare_report report = { 0 };
	int r = check_image(en, rq->image, e);

	if (r == 0)
		r = find_probe(&c, e);
	if (r < 0)
		return r;
	measure_wall(&c, &container);
	measure_wall(&c, &vm);
	free(c.volume);
	if (container.error.no && vm.error.no)
		r = err_set(e, container.error.no, "neither wall works here: container: %.200s; vm: %.200s",
			    container.error.msg, vm.error.msg);
	else if (make_report(&c, &container, &vm, &report) < 0)
		r = err_set(e, ENOMEM, "out of memory");
	json_done(&probe_table, &container.probe);
	json_done(&probe_table, &vm.probe);
	if (r < 0)
		compare_done(&report);
	else
		*ret = report;
	return r;
}

void compare_done(struct compare_report *r)
{
	json_done(&compare_report_table, r);
}

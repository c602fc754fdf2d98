/* runtime.c - config.json, process.json, resources: text -> struct, all of it checked */
#include "oci/runtime.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/auto.h"
#include "oci/runtime_int.h"

#define MODE_BITS 07777LL

/* --- one form for what callers write in several */

static void unset_if(struct opt_i64 *n, int64_t none)
{
	if (n->set && n->v == none)
		*n = (struct opt_i64){ 0 };
}

/* As runc has it: 0 is no limit given, -1 is any device. */
static void settle_resources(struct oci_resources *r)
{
	struct opt_i64 *zeros[] = {
		&r->memory.limit,	  &r->memory.reservation,  &r->memory.swap, &r->memory.kernel,
		&r->memory.kernel_tcp,	  &r->cpu.shares,	   &r->cpu.quota,   &r->cpu.period,
		&r->cpu.realtime_runtime, &r->cpu.realtime_period, &r->pids_limit,  &r->block_io.weight,
		&r->block_io.leaf_weight,
	};

	for (size_t i = 0; i < ARRAY_LEN(zeros); i++)
		unset_if(zeros[i], 0);
	for (size_t i = 0; i < r->block_io.n_weight_devices; i++) {
		unset_if(&r->block_io.weight_devices[i].weight, 0);
		unset_if(&r->block_io.weight_devices[i].leaf_weight, 0);
	}
	for (size_t i = 0; i < r->n_devices; i++) {
		unset_if(&r->devices[i].major, -1);
		unset_if(&r->devices[i].minor, -1);
	}
}

/* dockerd and Podman add the type: 020666 */
static void settle_mode(struct oci_device *d)
{
	mode_t type = !strcmp(d->type, "b") ? S_IFBLK : !strcmp(d->type, "p") ? S_IFIFO : S_IFCHR;

	if (d->file_mode.v > 0 && (d->file_mode.v & ~MODE_BITS) == (int64_t)type)
		d->file_mode.v &= MODE_BITS;
}

static int settle_spec(struct oci_spec *s, struct err *e)
{
	settle_resources(&s->lnx.resources);
	for (size_t i = 0; i < s->lnx.n_devices; i++)
		settle_mode(&s->lnx.devices[i]);
	for (size_t i = 0; i < s->n_mounts; i++) {
		char **path = &s->mounts[i].destination, *absolute;

		if (**path == '/' || !**path)
			continue;
		absolute = str_printf("/%s", *path); /* Kubernetes passes on what its users wrote */
		if (!absolute)
			return err_set(e, ENOMEM, "out of memory");
		free(*path);
		*path = absolute;
	}
	return 0;
}

/* --- the outermost members */

/* "1.MINOR.PATCH", and what semver.org allows behind it */
static bool is_version_1(const char *s)
{
	for (int i = 0; i < 3; i++) {
		size_t n = strspn(s, "0123456789");

		if (n == 0 || (n > 1 && *s == '0') || (i == 0 && (n != 1 || *s != '1')) ||
		    (i < 2 && s[n] != '.'))
			return false;
		s += n + (i < 2);
	}
	if (*s && *s != '-' && *s != '+')
		return false;
	return !*s ||
	       (s[1] &&
		!s[1 + strspn(s + 1, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-.+")]);
}

static int check_spec(const struct oci_spec *s, struct err *e)
{
	if (!is_version_1(s->oci_version))
		return err_set(e, EINVAL, "ociVersion: \"%.60s\" is not a version 1.x.y", s->oci_version);
	if (!s->has_root)
		return err_set(e, EINVAL, "root: missing");
	if (!*s->root_path)
		return err_set(e, EINVAL, "root.path: empty");
	for (size_t i = 0; i < s->annotations.n; i++)
		if (s->annotations.v[i][0] == '=')
			return err_set(e, EINVAL, "annotations[\"\"]: an empty key");
	if (s->has_process && oci_check_process(&s->process, "process.", e) < 0)
		return -EINVAL;
	if (oci_check_mounts(s, e) < 0 || oci_check_hooks(&s->hooks, e) < 0)
		return -EINVAL;
	return oci_check_linux(s, e);
}

/* --- */

static int parse(const struct jtable *t, const char *text, size_t n, void *ret, struct err *e)
{
	if (n > OCI_CONFIG_MAX)
		return err_set(e, EFBIG, "larger than %d bytes", OCI_CONFIG_MAX);
	return json_parse(t, text, n, JSON_UNIQUE | JSON_UTF8, ret, e);
}

int oci_spec_parse(const char *text, size_t n, struct oci_spec *ret, struct err *e)
{
	AUTO(oci_spec_done) struct oci_spec s = { 0 };
	int r = parse(&oci_spec_table, text, n, &s, e);

	if (r == 0)
		r = settle_spec(&s, e);
	if (r == 0)
		r = check_spec(&s, e);
	if (r < 0)
		return r;
	*ret = s;
	s = (struct oci_spec){ 0 };
	return 0;
}

void oci_spec_done(struct oci_spec *s)
{
	json_done(&oci_spec_table, s);
}

int oci_process_parse(const char *text, size_t n, struct oci_process *ret, struct err *e)
{
	AUTO(oci_process_done) struct oci_process p = { 0 };
	int r = parse(&oci_process_table, text, n, &p, e);

	if (r == 0)
		r = oci_check_process(&p, "", e);
	if (r < 0)
		return r;
	*ret = p;
	p = (struct oci_process){ 0 };
	return 0;
}

int oci_spec_parse_process(const char *text, size_t n, struct oci_process *ret, struct err *e)
{
	struct process_of_spec s = { 0 };
	int r = parse(&oci_process_of_spec_table, text, n, &s, e);

	if (r == 0)
		*ret = s.process;
	else
		oci_process_done(&s.process);
	return r;
}

void oci_process_done(struct oci_process *p)
{
	json_done(&oci_process_table, p);
}

int oci_resources_parse(const char *text, size_t n, struct oci_resources *ret, struct err *e)
{
	AUTO(oci_resources_done) struct oci_resources res = { 0 };
	int r = parse(&oci_resources_table, text, n, &res, e);

	if (r == 0) {
		settle_resources(&res);
		r = oci_check_resources(&res, "", e);
	}
	if (r < 0)
		return r;
	*ret = res;
	res = (struct oci_resources){ 0 };
	return 0;
}

void oci_resources_done(struct oci_resources *r)
{
	json_done(&oci_resources_table, r);
}

const struct oci_namespace *oci_namespace_find(const struct oci_linux *l, enum oci_namespace_type type)
{
	for (size_t i = 0; i < l->n_namespaces; i++)
		if (l->namespaces[i].type == (int)type)
			return &l->namespaces[i];
	return NULL;
}

bool oci_namespace_is_new(const struct oci_linux *l, enum oci_namespace_type type)
{
	const struct oci_namespace *ns = oci_namespace_find(l, type);

	return ns && (!ns->path || !*ns->path);
}

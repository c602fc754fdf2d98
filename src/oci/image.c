/* image.c - OCI image-spec 1.1 documents: image config (also Docker's), as far as Ketch acts on them; pure */
#include "oci/image.h"

#include <errno.h>
#include <string.h>

#include "oci/digest.h"

static const struct jfield healthcheck_fields[] = {
	JK(J_STRV, struct image_healthcheck, test, "Test"),
	JK(J_I64, struct image_healthcheck, interval_ns, "Interval"),
	JK(J_I64, struct image_healthcheck, timeout_ns, "Timeout"),
	JK(J_I64, struct image_healthcheck, start_period_ns, "StartPeriod"),
	JK(J_I64, struct image_healthcheck, start_interval_ns, "StartInterval"),
	JK(J_INT, struct image_healthcheck, retries, "Retries"),
	{ 0 },
};
const struct jtable image_healthcheck_table = { sizeof(struct image_healthcheck), healthcheck_fields };

static const struct jfield run_config_fields[] = {
	JK(J_STR, struct image_run_config, user, "User"),
	JK(J_KEYS, struct image_run_config, exposed_ports, "ExposedPorts"),
	JK(J_STRV, struct image_run_config, env, "Env"),
	JK(J_STRV, struct image_run_config, entrypoint, "Entrypoint"),
	JK(J_STRV, struct image_run_config, cmd, "Cmd"),
	JK(J_KEYS, struct image_run_config, volumes, "Volumes"),
	JK(J_STR, struct image_run_config, working_dir, "WorkingDir"),
	JK(J_MAP, struct image_run_config, labels, "Labels"),
	JK(J_STR, struct image_run_config, stop_signal, "StopSignal"),
	JH(struct image_run_config, healthcheck, has_healthcheck, "Healthcheck", &image_healthcheck_table),
	{ 0 },
};
const struct jtable image_run_config_table = { sizeof(struct image_run_config), run_config_fields };

static const struct jfield rootfs_fields[] = {
	J(J_STR, struct image_rootfs, type),
	J(J_STRV, struct image_rootfs, diff_ids),
	{ 0 },
};
static const struct jtable rootfs_table = { sizeof(struct image_rootfs), rootfs_fields };

static const struct jfield config_fields[] = {
	J(J_STR, struct image_config, created),
	J(J_STR, struct image_config, author),
	J(J_STR, struct image_config, architecture),
	J(J_STR, struct image_config, os),
	JO(struct image_config, config, "config", &image_run_config_table),
	JO(struct image_config, rootfs, "rootfs", &rootfs_table),
	J(J_RAW, struct image_config, history),
	{ 0 },
};
const struct jtable image_config_table = { sizeof(struct image_config), config_fields };

static int check_config(const struct image_config *c, struct err *e)
{
	const struct strv *ids = &c->rootfs.diff_ids;
	struct digest d;

	if (!c->os || strcmp(c->os, "linux") != 0)
		return err_set(e, EINVAL, "the image is for %s, not for linux",
			       c->os ? c->os : "no known system");
	if (!c->architecture || !*c->architecture)
		return err_set(e, EINVAL, "image config: no architecture");
	if (!c->rootfs.type || strcmp(c->rootfs.type, "layers") != 0)
		return err_set(e, EINVAL, "image config: rootfs.type is not \"layers\"");
	if (ids->n > IMAGE_LAYERS_MAX)
		return err_set(e, E2BIG, "image config: %zu layers, more than %d", ids->n, IMAGE_LAYERS_MAX);
	for (size_t i = 0; i < ids->n; i++)
		if (digest_parse(ids->v[i], &d) < 0)
			return err_set(e, EINVAL, "image config: \"%.80s\" is not a sha256 digest",
				       ids->v[i]);
	return 0;
}

int image_config_parse(const char *text, size_t n, struct image_config *ret, struct err *e)
{
	struct image_config c = { 0 };
	int r;

	if (n > IMAGE_DOCUMENT_MAX)
		return err_set(e, EFBIG, "image config: larger than %d MiB", IMAGE_DOCUMENT_MAX >> 20);
	r = json_parse(&image_config_table, text, n, JSON_UNIQUE, &c, e);
	if (r < 0)
		return err_wrap(e, r, "image config");
	r = check_config(&c, e);
	if (r < 0) {
		json_done(&image_config_table, &c);
		return r;
	}
	*ret = c;
	return 0;
}

int image_config_stack(const struct image_config *c, struct strv *ret)
{
	const struct strv *ids = &c->rootfs.diff_ids;
	struct strv stack = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < ids->n; i++) {
		const struct strv above = { ids->v + i + 1, ids->n - i - 1 };

		if (!strv_has(&above, ids->v[i]))
			r = strv_add(&stack, ids->v[i]);
	}
	if (r < 0) {
		strv_done(&stack);
		return r;
	}
	*ret = stack;
	return 0;
}

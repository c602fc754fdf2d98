/* runtime_mounts.c - what can be wrong with mounts and hooks (config.md#mounts, #posix-platform-hooks) */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "oci/runtime_int.h"

#define TIMEOUTS ((struct oci_range){ 1, INT32_MAX / 1000 }) /* s; in ms an int holds it: 24 days */

bool oci_is_root(const char *path)
{
	size_t depth = 0;

	for (const char *p = path; *p;) {
		size_t n = strcspn(p, "/");

		if (n == 2 && p[0] == '.' && p[1] == '.')
			depth -= depth > 0;
		else if (n > 0 && !(n == 1 && p[0] == '.'))
			depth++;
		p += n + (p[n] == '/');
	}
	return depth == 0;
}

static bool has_option(const struct oci_mount *m, const char *a, const char *b)
{
	return strv_has(&m->options, a) || strv_has(&m->options, b);
}

static bool is_bind(const struct oci_mount *m)
{
	return (m->type && !strcmp(m->type, "bind")) || has_option(m, "bind", "rbind");
}

static int check_options(const struct oci_mount *m, size_t i, struct err *e)
{
	for (size_t k = 0; k < m->options.n; k++)
		if (!*m->options.v[k])
			return err_set(e, EINVAL, "mounts[%zu].options[%zu]: empty", i, k);
	return 0;
}

static int check_kind(const struct oci_mount *m, size_t i, struct err *e)
{
	if (strv_has(&m->options, "remount"))
		return 0;
	if (is_bind(m) && (!m->source || !*m->source))
		return err_set(e, EINVAL, "mounts[%zu].source: missing, a bind mount needs it", i);
	if (!is_bind(m) && (!m->type || !*m->type))
		return err_set(e, EINVAL, "mounts[%zu].type: missing", i);
	return 0;
}

/* An ID-mapped mount: by maps of its own, or, by the option alone, by those of the user namespace. */
static int check_id_map(const struct oci_spec *s, size_t i, struct err *e)
{
	const struct oci_mount *m = &s->mounts[i];
	bool by_option = has_option(m, "idmap", "ridmap");

	if (strv_has(&m->options, "idmap") && strv_has(&m->options, "ridmap"))
		return err_set(e, EINVAL, "mounts[%zu].options: both idmap and ridmap", i);
	if (!m->n_uid_mappings != !m->n_gid_mappings)
		return err_set(e, EINVAL, "mounts[%zu].%s: missing, while there are %s", i,
			       m->n_uid_mappings ? "gidMappings" : "uidMappings",
			       m->n_uid_mappings ? "uidMappings" : "gidMappings");
	if ((by_option || m->n_uid_mappings) && !is_bind(m))
		return err_set(e, EINVAL, "mounts[%zu].%s: only a bind mount can map IDs", i,
			       m->n_uid_mappings ? "uidMappings" : "options");
	if (by_option && !m->n_uid_mappings && !oci_namespace_find(&s->lnx, OCI_NS_USER))
		return err_set(e, EINVAL, "mounts[%zu].options: idmap needs mappings or a user namespace", i);
	if (oci_check_mappings(e, m->uid_mappings, m->n_uid_mappings, "mounts[%zu].uidMappings", i) < 0)
		return -EINVAL;
	return oci_check_mappings(e, m->gid_mappings, m->n_gid_mappings, "mounts[%zu].gidMappings", i);
}

int oci_check_mounts(const struct oci_spec *s, struct err *e)
{
	for (size_t i = 0; i < s->n_mounts; i++) {
		const struct oci_mount *m = &s->mounts[i];

		if (!*m->destination)
			return err_set(e, EINVAL, "mounts[%zu].destination: empty", i);
		if (oci_is_root(m->destination))
			return err_set(e, EINVAL,
				       "mounts[%zu].destination: nothing can be mounted over the root", i);
		if (check_options(m, i, e) < 0 || check_kind(m, i, e) < 0 || check_id_map(s, i, e) < 0)
			return -EINVAL;
	}
	return 0;
}

static int check_hook_list(const struct oci_hook_list *l, const char *name, struct err *e)
{
	for (size_t i = 0; i < l->n; i++) {
		const struct oci_hook *h = &l->v[i];

		if (oci_check_absolute(e, h->path, "hooks.%s[%zu].path", name, i) < 0 ||
		    oci_check_env(e, &h->env, "hooks.%s[%zu].env", name, i) < 0)
			return -EINVAL;
		if (oci_check_optional(e, &h->timeout, TIMEOUTS, "hooks.%s[%zu].timeout", name, i) < 0)
			return -EINVAL;
	}
	return 0;
}

int oci_check_hooks(const struct oci_hooks *h, struct err *e)
{
	const struct {
		const struct oci_hook_list *list;
		const char *name;
	} lists[] = {
		{ &h->prestart, "prestart" },
		{ &h->create_runtime, "createRuntime" },
		{ &h->create_container, "createContainer" },
		{ &h->start_container, "startContainer" },
		{ &h->poststart, "poststart" },
		{ &h->poststop, "poststop" },
	};
	int r = 0;

	for (size_t i = 0; i < ARRAY_LEN(lists) && r == 0; i++)
		r = check_hook_list(lists[i].list, lists[i].name, e);
	return r;
}

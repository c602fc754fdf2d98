/* namespaces.c - which namespaces a config asks for (runtime-spec config-linux.md#namespaces) */
#include <assert.h>

#include "base/auto.h"
#include "oci/runtime.h"

const char *const oci_namespace_types[] = { "pid",  "network", "mount", "ipc", "uts",
					    "user", "cgroup",  "time",	NULL };
static_assert(ARRAY_LEN(oci_namespace_types) == OCI_NS_N + 1, "name every type");

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

/* runtime_sysctl.c - linux.sysctl: what belongs to a namespace of the container, nothing of the host's
 *
 * A name is written with dots or with slashes.  In the first a slash stands for a dot in a name, in the second
 * a dot for itself: "net.ipv4.conf.eth0/1.forwarding" is "net/ipv4/conf/eth0.1/forwarding" (sysctl.d(5)).
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/auto.h"
#include "oci/runtime_int.h"

char *oci_sysctl_path(const char *s, size_t n)
{
	char *path = strndup(s, n);

	if (!path || path[strcspn(path, "./")] == '/')
		return path;
	for (char *p = path; *p; p++)
		*p = *p == '.' ? '/' : *p == '/' ? '.' : *p;
	return path;
}

static bool begins(const char *s, const char *with)
{
	return !strncmp(s, with, strlen(with));
}

bool oci_sysctl_is_path(const char *path)
{
	for (const char *p = path;; p++) {
		size_t n = strcspn(p, "/");

		if (n == 0 || (n == 1 && p[0] == '.') || (n == 2 && p[0] == '.' && p[1] == '.'))
			return false;
		p += n;
		if (!*p)
			return true;
	}
}

int oci_sysctl_namespace(const char *path)
{
	static const char *const ipc[] = { "kernel/msgmax", "kernel/msgmnb",	     "kernel/msgmni",
					   "kernel/sem",    "kernel/shmall",	     "kernel/shmmax",
					   "kernel/shmmni", "kernel/shm_rmid_forced" };

	if (begins(path, "net/"))
		return OCI_NS_NETWORK;
	if (begins(path, "fs/mqueue/"))
		return OCI_NS_IPC;
	if (!strcmp(path, "kernel/domainname"))
		return OCI_NS_UTS;
	for (size_t i = 0; i < ARRAY_LEN(ipc); i++)
		if (!strcmp(path, ipc[i]))
			return OCI_NS_IPC;
	return -1;
}

static int check_one(const struct oci_linux *l, const char *assignment, struct err *e)
{
	int n = (int)strcspn(assignment, "="), shown = n < 60 ? n : 60, type;
	autofree char *path = oci_sysctl_path(assignment, (size_t)n);

	if (!path)
		return err_set(e, ENOMEM, "out of memory");
	if (!oci_sysctl_is_path(path))
		return err_set(e, EINVAL, "linux.sysctl[\"%.*s\"]: not a name", shown, assignment);
	if (!strcmp(path, "kernel/hostname"))
		return err_set(e, EINVAL, "linux.sysctl[\"%.*s\"]: \"hostname\" is the place for it", shown,
			       assignment);
	type = oci_sysctl_namespace(path);
	if (type < 0)
		return err_set(e, EINVAL, "linux.sysctl[\"%.*s\"]: belongs to no namespace, it is the host's",
			       shown, assignment);
	if (!oci_namespace_find(l, (enum oci_namespace_type)type))
		return err_set(e, EINVAL, "linux.sysctl[\"%.*s\"]: the host's without a namespace \"%s\"",
			       shown, assignment, oci_namespace_types[type]);
	return 0;
}

int oci_check_sysctl(const struct oci_linux *l, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < l->sysctl.n && r == 0; i++)
		r = check_one(l, l->sysctl.v[i], e);
	return r;
}

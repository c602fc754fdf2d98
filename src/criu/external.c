/* external.c - the true place of a mount that comes from outside: links of the root are followed */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"
#include "base/path.h"
#include "criu/criu.h"

/* What is not there, because it lies in a file system that is still to be mounted, is taken as it is written. */
char *criu_true_place(int root, const char *dest)
{
	autofree char *path = strdup(dest), *real = NULL, *base = fd_path(root);
	char *slash = path ? path + strlen(path) : NULL;
	autoclose int fd = path ? open_in_root(root, path, O_PATH | O_CLOEXEC, 0) : -1;
	size_t n;

	while (path && fd < 0) {
		slash = memrchr(path, '/', (size_t)(slash - path));
		if (!slash || slash == path)
			return strdup(dest);
		*slash = '\0';
		fd = open_in_root(root, path, O_PATH | O_CLOEXEC, 0);
		*slash = '/';
	}
	real = fd < 0 ? NULL : fd_path(fd);
	if (!real || !base)
		return NULL;
	n = strcmp(base, "/") && !strncmp(real, base, strlen(base)) ? strlen(base) : 0;
	return str_printf("%s%s", real + n, slash);
}

int criu_add_external(struct criu *c, int root, const char *dest, const char *source)
{
	autofree char *place = criu_true_place(root, dest);

	return place ? criu_add(c, "--external=mnt[%s]:%s", place, source ? source : place) : -ENOMEM;
}

/* entry.c - the one form that paths inside archives have */
#include "files/entry.h"

#include <errno.h>
#include <string.h>

int entry_clean_path(const char *path, char ret[PATH_BYTES_MAX + 1], struct err *e)
{
	size_t len = 0, depth = 0;

	while (*(path += strspn(path, "/"))) {
		size_t n = strcspn(path, "/");

		if (n == 2 && path[0] == '.' && path[1] == '.')
			return err_set(e, EINVAL, "the path has a \"..\" in it");
		if (n > PATH_NAME_MAX)
			return err_set(e, ENAMETOOLONG, "a name in the path is longer than %d bytes",
				       PATH_NAME_MAX);
		if (n != 1 || *path != '.') {
			if (len + n + 1 > PATH_BYTES_MAX)
				return err_set(e, ENAMETOOLONG, "the path is longer than %d bytes",
					       PATH_BYTES_MAX);
			if (++depth > PATH_DEPTH_MAX)
				return err_set(e, ENAMETOOLONG, "the path is deeper than %d directories",
					       PATH_DEPTH_MAX);
			if (len)
				ret[len++] = '/';
			memcpy(ret + len, path, n);
			len += n;
		}
		path += n;
	}
	ret[len] = '\0';
	return 0;
}

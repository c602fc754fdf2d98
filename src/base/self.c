/* self.c - where the other programs of this installation are */
#include "base/self.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/buf.h"

char *self_program(const char *name)
{
	static const char *const places[] = { "", "../libexec/ketch/" };
	char dir[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", dir, sizeof(dir) - 1);

	if (n < 0)
		return NULL;
	dir[n] = '\0';
	strrchr(dir, '/')[1] = '\0';
	for (size_t i = 0; i < ARRAY_LEN(places); i++) {
		char *path = str_printf("%s%s%s", dir, places[i], name);

		if (!path || access(path, X_OK) == 0)
			return path;
		free(path);
	}
	errno = ENOENT;
	return NULL;
}

/* request_storage.c - --storage-opt: how much an instance may write */
#include <errno.h>
#include <string.h>

#include "base/parse.h"
#include "engine/request_int.h"

#define STORAGE_MIN (UINT64_C(64) << 20) /* a file system and its journal have to be in it */
#define STORAGE_MAX (UINT64_C(16) << 40) /* ext4 with blocks of 4 KiB */

int request_storage(const struct strv *opts, uint64_t *ret_bytes, struct err *e)
{
	for (size_t i = 0; i < opts->n; i++) {
		const char *opt = opts->v[i];
		uint64_t bytes;

		if (strncmp(opt, "size=", 5))
			return err_set(e, EINVAL, "--storage-opt: '%.80s' is not size=BYTES", opt);
		if (parse_bytes(opt + 5, &bytes) < 0)
			return err_set(e, EINVAL, "--storage-opt: '%.80s' has no valid size", opt);
		if (bytes < STORAGE_MIN || bytes > STORAGE_MAX)
			return err_set(e, EINVAL, "--storage-opt size: the range is 64m to 16384g");
		*ret_bytes = bytes;
	}
	return 0;
}

/* tidy.h - what clang-tidy is told, in front of each file: an error is below 0
 *
 * The analyzer sees one file at a time; without this it takes err_set for a function that may return 0, and follows
 * paths that cannot be.
 */
#include "base/err.h"

static inline int tidy_negative(int r)
{
	if (r >= 0)
		__builtin_unreachable();
	return r;
}

#define err_set(...) tidy_negative(err_set(__VA_ARGS__))
#define err_sys(...) tidy_negative(err_sys(__VA_ARGS__))

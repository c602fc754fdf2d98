/* auto.h - cleanup by scope: memory, descriptors, and moving ownership out of a scope
 *
 *	autofree char *s = strdup(x);		freed when the scope ends
 *	autoclose int fd = open(...);		closed when the scope ends, if >= 0
 *	return take_fd(&fd);			ownership leaves the scope
 */
#ifndef BASE_AUTO_H
#define BASE_AUTO_H

#include <stdlib.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define AUTO(fn)     __attribute__((cleanup(fn)))
#define autofree     AUTO(auto_free)
#define autoclose    AUTO(auto_close)

static inline void auto_free(void *p)
{
	free(*(void **)p);
}

static inline void auto_close(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

static inline int take_fd(int *fd)
{
	int r = *fd;

	*fd = -1;
	return r;
}

/* take_ptr(p): the value of pointer p, which becomes NULL. */
#define take_ptr(p)                                                                                          \
	__extension__({                                                                                      \
		__typeof__(p) took_ = (p);                                                                   \
		(p) = NULL;                                                                                  \
		took_;                                                                                       \
	})

#endif

/* scm.h - descriptors through a unix socket (unix(7), SCM_RIGHTS) */
#ifndef SYS_SCM_H
#define SYS_SCM_H

#include <stddef.h>
#include <sys/types.h>

/* A connected stream socket, O_CLOEXEC; connecting and every later send give up after timeout_ms.  -ENAMETOOLONG: more
 * than 107 bytes; -errno. */
int scm_connect(const char *path, int timeout_ms);
/* Sends n > 0 bytes, and a copy of fd with the first of them.  0 or -errno. */
int scm_send(int sock, int fd, const void *data, size_t n);
/* Waits for a message.  Returns its bytes, 0 at the end, -EMSGSIZE when it has more than `size`, or -errno.  *ret_fd, also
 * after a failure: the descriptor that came with it (O_CLOEXEC), or -1. */
ssize_t scm_read(int sock, void *data, size_t size, int *ret_fd);
/* The descriptor of the message that is waiting (O_CLOEXEC); -EAGAIN: there is none. */
int scm_receive(int sock);

#endif

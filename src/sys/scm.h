/* scm.h - descriptors through a unix socket (unix(7), SCM_RIGHTS) */
#ifndef SYS_SCM_H
#define SYS_SCM_H

#include <stddef.h>

/* A connected stream socket, O_CLOEXEC; connecting and every later send give up after timeout_ms.  -ENAMETOOLONG: more
 * than 107 bytes; -errno. */
int scm_connect(const char *path, int timeout_ms);
/* Sends n > 0 bytes, and a copy of fd with the first of them.  0 or -errno. */
int scm_send(int sock, int fd, const void *data, size_t n);

/* The descriptor of the message that is waiting (O_CLOEXEC); -EAGAIN: there is none. */
int scm_receive(int sock);

#endif

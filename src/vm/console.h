/* console.h - what a guest's kernel and its VMM say: kept within bounds, quoted when something fails */
#ifndef VM_CONSOLE_H
#define VM_CONSOLE_H

#include "base/buf.h"
#include "base/loop.h"

#define CONSOLE_KEEP (64 * 1024) /* bytes of the log: of what is older, the newer half stays */

struct console {
	struct loop *loop;
	struct watch watch; /* of the descriptor that is read; fd -1: closed */
	int log; /* -1: only the last line is kept */
	size_t log_size;
	char last[160]; /* the last line with something in it, printable */
	char line[160]; /* being read */
	size_t n_line;
};

/* Takes fd (read) and log (a new file, -1: none).  0 or -errno. */
int console_open(struct console *c, struct loop *l, int fd, int log);
/* Reads what is still there. */
void console_drain(struct console *c);
void console_close(struct console *c);

#endif

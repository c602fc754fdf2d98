/* terminal.h - the user's terminal: raw mode that is always taken back, and its size */
#ifndef SYS_TERMINAL_H
#define SYS_TERMINAL_H

#include <stdbool.h>
#include <termios.h>

struct terminal {
	int fd; /* borrowed */
	bool raw;
	bool keys; /* raw for what is typed, too */
	struct termios saved;
};

/* Bytes go to the terminal as they are; keys: those that are typed come as they are, too (else Ctrl-C stays a
 * signal, and lines are edited).  0 or -errno. */
int terminal_raw(struct terminal *t, int fd, bool keys);
/* Back to what it was; nothing when it is not raw. */
void terminal_restore(struct terminal *t);
/* The size of the terminal behind fd; false when it has none. */
bool terminal_size(int fd, int *ret_rows, int *ret_cols);

#endif

/* pty.h - pseudo-terminals out of a devpts that the caller made and holds */
#ifndef SYS_PTY_H
#define SYS_PTY_H

/* A new terminal of the devpts mount: master (non-blocking) and slave, both O_CLOEXEC and O_NOCTTY. */
int pty_open(int devpts, int *ret_master, int *ret_slave);
int pty_resize(int master, int rows, int cols);
/* Makes `slave` the controlling terminal of this session leader. */
int pty_control(int slave);
/* The character that means end of file on the terminal (normally ^D). */
char pty_eof_char(int master);

#endif

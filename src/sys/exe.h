/* exe.h - the file that the calling program runs from */
#ifndef SYS_EXE_H
#define SYS_EXE_H

/* Goes on as if the program had been executed from `fd`: another way to the file that it runs from, open for reading.
 * /proc/PID/exe of this process and of its children leads there from now on, and nothing of the old way is mapped any
 * more.  argv is main's.  For a program with one thread.  0, or -errno: the program goes on, /proc/PID/exe is as it
 * was; -EPERM without CAP_CHECKPOINT_RESTORE (before Linux 5.9: CAP_SYS_ADMIN). */
int exe_move(int fd, char *const *argv);

#endif

/* self.h - where the other programs of this installation are */
#ifndef BASE_SELF_H
#define BASE_SELF_H

/* The path of program `name`: beside the running program (build tree), else in ../libexec/ketch from there
 * (installed).  Owned; NULL with errno (ENOENT: not installed). */
char *self_program(const char *name);

#endif

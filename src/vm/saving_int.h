/* saving_int.h - between saving.c and saving_disk.c */
#ifndef VM_SAVING_INT_H
#define VM_SAVING_INT_H

#include "vm/saving.h"

/* Hexadecimal digits, so many. */
bool saving_is_id(const char *text, size_t len);
/* One request more is under way (vm_control_ask). */
int saving_ask(struct vm_saving *s, const char *line, int fd, struct err *e);
/* SAVE_DISK (saving_disk.c). */
int saving_switch(struct vm_saving *s, const char *layer, struct err *e);

#endif

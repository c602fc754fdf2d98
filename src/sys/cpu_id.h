/* cpu_id.h - which processor this is, as far as a saved machine may depend on it */
#ifndef SYS_CPU_ID_H
#define SYS_CPU_ID_H

#define CPU_ID_MAX 160

/* Name, stepping and features, a line; "" where that cannot be told (not x86). */
void cpu_id(char ret[CPU_ID_MAX]);

#endif

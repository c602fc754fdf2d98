/* names.h - names for instances whose user gave none: "calm_ketch" */
#ifndef ENGINE_NAMES_H
#define ENGINE_NAMES_H

/* The name for a random number: adjective_ship, with a number behind it from the second round on.  Owned by the
 * caller; NULL when out of memory. */
char *name_make(unsigned random, unsigned round);

#endif

/* log.h - lines for people, on stderr; what failed is an err, which the front doors print; a warning is
 * what is no reason to fail
 *
 * "ketch: sentence" for errors and warnings.  Debug lines appear with KETCH_DEBUG=1 (or a list of rooms).
 */
#ifndef BASE_LOG_H
#define BASE_LOG_H

#include <stdbool.h>

void log_error(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_warn(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
void log_debug(const char *room, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* "WHAT: PROGRAM ARGUMENT ..." */
void log_debug_argv(const char *room, const char *what, const char *const argv[]);
/* The program's name in front of each line; borrowed. */
void log_set_name(const char *name);

/* The name in colour: for terminals. */
void log_set_colour(bool on);

#endif

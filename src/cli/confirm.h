/* confirm.h - asking before much is removed, and the report after it, in Docker's words */
#ifndef CLI_CONFIRM_H
#define CLI_CONFIRM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/strv.h"

/* Prints the warning and "Are you sure you want to continue? [y/N]", and reads a line of stdin. */
bool cli_confirm(const char *warning);
/* "Deleted Volumes:\nNAME...\n\n"; nothing for an empty list. */
void cli_add_deleted(struct buf *out, const char *heading, const struct strv *names);
void cli_add_reclaimed(struct buf *out, uint64_t bytes);

#endif

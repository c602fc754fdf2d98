/* files.h - one conversation about the files of an instance, whether it runs or not */
#ifndef CLI_FILES_H
#define CLI_FILES_H

#include "cli/attach.h"
#include "engine/engine.h"
#include "instance/file_request.h"

struct files_talk {
	enum msg_type type; /* MSG_GET or MSG_PUT */
	struct file_request request;
	int fd; /* what a PUT reads from, or a GET writes to */
	attach_sink sink; /* GET: takes the bytes in place of fd; NULL: fd does */
	void *sink_arg;
};

/* How it ended. */
struct files_end {
	int status; /* of attach_run, which has told the reason of one that is no exit status of a copy */
	struct buf said; /* the other side's complaint */
};

/* 0 once it has ended, in whatever way; or -errno.  *ret by files_end_done, also after a failure. */
int files_talk(struct engine *en, const struct instance *in, const struct files_talk *t,
	       struct files_end *ret, struct err *e);
/* The middle of it: what is said on the connection of engine_open_files, which is taken. */
int files_pump(int fd, const struct files_talk *t, struct files_end *ret, struct err *e);
void files_end_done(struct files_end *end);
/* What came of one that has nobody but the other side to blame; `what` stands in front of its complaint. */
int files_judge(const struct files_end *end, const char *what, struct err *e);
/* diff.c: prints the whole records (instance/change.h) in `in`, a line each, and drops them; what is left is the beginning of
 * one.  -EPROTO: there is something else in it. */
int files_print_changes(struct buf *in, struct err *e);
/* -ENOTTY, with what to do about it, where the archive would go to a terminal, or come from one. */
int files_refuse_terminal(int fd, struct err *e);

#endif

/* attach_int.h - the pump as its files see it */
#ifndef CLI_ATTACH_INT_H
#define CLI_ATTACH_INT_H

#include <signal.h>

#include "cli/attach.h"
#include "sys/terminal.h"
#include "wire/conn.h"

struct pump {
	const struct attach *a;
	struct loop *loop;
	struct conn *conn;
	int fd; /* the conn's */
	struct watch in, signals;
	struct terminal terminal;
	uint32_t window; /* bytes of stdin that the peer has room for */
	uint32_t owed[3]; /* bytes written, by descriptor, that no CREDIT was given for */
	bool discard[3]; /* nobody reads it any more */
	bool output_lost; /* by a failure, not by a reader who has gone */
	int pipe[3]; /* by descriptor: the same pipe, non-blocking; -1 */
	bool nobody_reads; /* output is kept up, in this moment */
	bool greeted, started, in_open, in_polls;
	struct detach_keys keys;
	struct watch answer; /* a timer: the instance has not answered */
	int unanswered; /* the signal behind which it was asked; 0: none */
	bool stands_still; /* it is paused, and so was that signal not heard */
	int fatal; /* the signal that ends us; 0: none */
	int status;
	struct err why; /* why.no: what to tell the user at the end */
};

/* attach.c: the pump ends with this status. */
void attach_finish(struct pump *p, int status);

void attach_send_size(struct pump *p, int more_rows);

/* attach_output.c */
void attach_open_output(struct pump *p);
void attach_close_output(struct pump *p);
/* The message goes to descriptor 1 or 2; its bytes are credited to who sent them. */
void attach_write_output(struct pump *p, unsigned which, const struct msg *m);

/* attach_signals.c */
void attach_wanted_signals(sigset_t *set);
/* Of the watch of the signalfd; arg: the pump. */
void attach_on_signal(void *arg, uint32_t events);
/* The timer for an answer: 0 or -errno. */
int attach_answer_init(struct pump *p);
void attach_answer_done(struct pump *p);
/* STATS_REPLY has come. */
void attach_answered(struct pump *p);
/* Is this ERROR about what we asked behind a signal, and nothing to tell the user? */
bool attach_is_about_answer(struct pump *p, const struct msg *m);

/* attach_stdin.c */
/* Reads and sends what there is room for, and sees to it that more is heard of; after whatever may have made room. */
void attach_pump_stdin(struct pump *p);
/* Of the watch of stdin; arg: the pump. */
void attach_on_stdin(void *arg, uint32_t events);

#endif

/* err.h - one error: a class (errno) and a sentence for the user
 *
 * A function that can fail in more than one way returns >= 0 or a negative errno and fills a caller's
 * struct err, passed last.  No heap: it works under OOM, after clone, and crosses a socket as bytes.
 */
#ifndef BASE_ERR_H
#define BASE_ERR_H

struct err {
	int no; /* positive errno: the class */
	char msg[480]; /* one line, no trailing stop or newline; control characters replaced */
};

/* Sets the message; returns -no, so that "return err_set(e, ENOENT, ...)" reads well.  e may be NULL. */
int err_set(struct err *e, int no, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* As err_set, with ": " and the text of errno `no` behind the message. */
int err_sys(struct err *e, int no, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the message that is there; returns r unchanged. */
int err_wrap(struct err *e, int r, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

#endif

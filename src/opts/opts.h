/* opts.h - rows of options: one table feeds the parser, --help, the completion and the man pages
 *
 * The grammar is Docker's (Go's pflag): "--name VALUE", "--name=VALUE", "-n VALUE", "-nVALUE", "-n=VALUE",
 * letters of flags together ("-it"), "--flag=false", "--" ends the options.  What is given twice takes the
 * last value, but lists grow.
 */
#ifndef OPTS_OPTS_H
#define OPTS_OPTS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"
#include "base/strv.h"

enum opt_type {
	OPT_END, /* ends a table */
	OPT_FLAG, /* bool */
	OPT_STR, /* char *, owned */
	OPT_LIST, /* struct strv */
	OPT_CHOICE, /* char *, owned: one of the words of the metavar, "container|vm"; NULL for "" and "default" */
	OPT_BYTES, /* uint64_t */
	OPT_MILLI, /* uint64_t, thousandths */
	OPT_INT, /* int64_t */
	OPT_SECONDS, /* int, 0 to a day */
	OPT_SIGNAL, /* int */
	OPT_REFUSED, /* no member: the help is why it cannot be had; shown nowhere */
	OPT_TYPE_N,
};

struct opt {
	enum opt_type type;
	char letter; /* 0: none */
	const char *name;
	size_t off; /* of the member in the command's struct */
	const char *metavar; /* NULL for a flag; "a|b" are the choices, FILE and DIR are completed as such */
	const char *help; /* a sentence without a stop */
};

/* OPT(FLAG, 'd', "detach", struct run_args, detach, NULL, "...") */
#define OPT(type_, letter_, name_, struct_, member_, metavar_, help_)                                        \
	{                                                                                                    \
		OPT_##type_, letter_, name_, offsetof(struct_, member_), metavar_, help_                     \
	}

/* A flag that others have and that is refused, with one reason for many of them. */
#define OPT_REFUSE(letter_, name_, why_)                                                                     \
	{                                                                                                    \
		OPT_REFUSED, letter_, name_, 0, NULL, why_                                                   \
	}

static inline bool opt_is_shown(const struct opt *o)
{
	return o->type != OPT_REFUSED;
}

enum opts_grammar {
	OPTS_ANYWHERE, /* options may stand behind other words */
	OPTS_FIRST, /* the first other word ends the options: the rest belongs to a command */
};

enum { OPTS_HELP = 1 };

/* Parses argv (NULL-terminated, without the program) into *obj, which holds zeros or defaults.  ret_words:
 * the other words.  Returns 0; OPTS_HELP when --help (or -h, where no row has that letter) was met; or
 * -EINVAL.  After each of them *obj and *ret_words are the caller's to free. */
int opts_parse(const struct opt *opts, enum opts_grammar grammar, char *const *argv, void *obj,
	       struct strv *ret_words, struct err *e);
/* Sets one member as "--name VALUE" does; the sentence of an error has no dashes.  -ENOENT: no row has that name, or it
 * takes no value. */
int opts_set(const struct opt *opts, const char *name, const char *value, void *obj, struct err *e);
/* Is the value one of "a|b"? */
bool opts_is_choice(const char *choices, const char *value);
/* The row of that name, or NULL. */
const struct opt *opts_find(const struct opt *opts, const char *name);
/* Is the member anything but zero?  In a struct that was zero before: was it given, and not as zero? */
bool opts_is_given(const struct opt *o, const void *obj);
/* Frees what the members own and zeroes them. */
void opts_done(const struct opt *opts, void *obj);

#endif

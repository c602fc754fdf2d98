/* cli.h - the command line: what a command is, and what all commands share
 *
 * A command is one row.  Its options, words and sentences feed the parser, the help, the completion and the
 * man page; its `run` gets the parsed struct.  cli_main (cli.c) takes the global options, finds the command,
 * parses, runs, prints the error if there is one, and returns the exit status.
 */
#ifndef CLI_CLI_H
#define CLI_CLI_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/json.h"
#include "cli/settings.h"
#include "engine/engine.h"
#include "opts/opts.h"

#define STATUS_FAILED 1
#define STATUS_USAGE  125 /* of a wrong option, and of a `run` that Ketch could not do: Docker's numbers */
#define WORDS_ANY     (~0U)

struct global_args {
	char *root, *run_root;
	bool version, debug;
};

struct cli {
	struct global_args args;
	struct settings settings;
	struct engine *engine; /* NULL until cli_engine */
	bool makes_store; /* of the command */
};

/* What the words of a command are, for completion. */
enum word_kind {
	WORDS_NONE,
	WORDS_INSTANCE,
	WORDS_IMAGE,
	WORDS_FILE,
	WORDS_KERNEL,
	WORDS_VOLUME,
	WORDS_NETWORK,
	WORDS_PROFILE,
	WORDS_TEMPLATE,
	WORDS_COMMAND,
	WORDS_PLACE
};

struct command {
	const char *name; /* "run", "image inspect" */
	const char *usage; /* the words as the help prints them: "IMAGE [COMMAND] [ARG...]" */
	const char *summary; /* a sentence without a stop */
	const char *text; /* what the man page says besides: paragraphs parted by an empty line; or NULL */
	const struct opt *opts;
	size_t args_size; /* of the struct that opts fill */
	const void *defaults; /* such a struct (no owned strings), or NULL: zeros */
	unsigned min_words, max_words;
	enum word_kind words;
	enum opts_grammar grammar;
	bool makes_store; /* one that is missing is made; to others it is as an empty one */
	bool without_settings; /* works where a configuration file is wrong */
	/* Fills args with what holds before the line says otherwise; argv: the line.  May be NULL. */
	int (*prepare)(struct cli *c, const struct command *cmd, char *const *argv, void *args,
		       struct err *e);
	int failure; /* the exit status when run returns an error; 0: STATUS_FAILED */
	/* Returns the exit status, or a negative errno with e filled, which the caller prints.  args: the struct;
	 * words: the rest of the line.  Both may be emptied. */
	int (*run)(struct cli *c, void *args, struct strv *words, struct err *e);
};

extern const struct opt global_opts[];
extern const struct opt no_opts[];

/* argv[0] is the program.  Returns the exit status. */
int cli_main(char *const *argv);
/* The engine, opened with the first call; NULL with e filled. */
struct engine *cli_engine(struct cli *c, struct err *e);
/* The same for the images. */
struct image_store *cli_images(struct cli *c, struct err *e);
/* The directories in force; borrowed. */
const char *cli_root(const struct cli *c);
const char *cli_run_root(const struct cli *c);
/* What tells the user about long jobs, on stderr (progress.c); NULL when that is no terminal. */
image_progress cli_progress(void);
/* Writes all of b to stdout; 0 or -errno with e filled. */
int cli_print(const struct buf *b, struct err *e);
/* Prints a line: a name that anybody may have chosen, shown so that a terminal bears it (text.h). */
int cli_print_name(const char *name, struct err *e);
/* Prints "ketch: sentence"; returns status. */
int cli_complain(const struct err *e, int status);
/* The moment that an option names, *ret_ns unchanged where it is NULL (not given). */
int cli_take_when(const char *option, const char *text, int64_t *ret_ns, struct err *e);
/* The same of --since and --until, where an empty word is none, as with Docker: a script's variable. */
int cli_take_bound(const char *option, const char *text, int64_t *ret_ns, struct err *e);
/* Are there colours on stdout? */
bool cli_has_colour(const struct cli *c);
/* Is the --format (NULL: table) "json"? */
bool cli_is_json(const char *format);

/* --- commands.c: the table */

struct section {
	const char *title;
	const struct command *const *commands; /* NULL-terminated */
};

/* A further name: "image ls" is "images".  Help shows short ones, completion and the parser take all. */
struct alias {
	const char *name, *command;
};

/* Commands with a name of two words: "kernel ls"; or of three, which are "volume snapshot-ls" in the table. */
struct group {
	const char *name, *summary;
};

/* A command that others have and that is refused, or a group of them. */
struct refusal {
	const char *name, *why;
};

extern const struct refusal refusals[]; /* refused.c; ends with a NULL name */
extern const struct section sections[]; /* ends with a NULL title; hidden commands are not in it */
extern const struct alias aliases[]; /* ends with a NULL name */
extern const struct group groups[]; /* ends with a NULL name */

/* Finds the command at the front of words (NULL-terminated, at least one); *ret_used: how many words its name
 * takes.  *ret is NULL for the name of a group alone.  -ENOENT: unknown, with the nearest word; -ENOTSUP: refused, with
 * the reason. */
int command_find(char *const *words, const struct command **ret, size_t *ret_used, struct err *e);
/* By its whole name, or NULL. */
const struct command *command_by_name(const char *name);

/* --- help.c, man.c, completion.c: the table as text */

void help_add_program(struct buf *out);
/* The group that the first n words name. */
void help_add_group(struct buf *out, char *const *words, size_t n);
void help_add_command(struct buf *out, const struct command *cmd);
/* roff of ketch-CMD(1), with NULL of ketch(1). */
void man_add_page(struct buf *out, const struct command *cmd);
void completion_add_bash(struct buf *out);

#endif

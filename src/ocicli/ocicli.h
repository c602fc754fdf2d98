/* ocicli.h - the command line of ketch-oci: runc's words, which containerd, CRI-O, Podman and Docker speak */
#ifndef OCICLI_OCICLI_H
#define OCICLI_OCICLI_H

#include <stdbool.h>

#include "opts/opts.h"
#include "runtime/runtime.h"

struct oci_globals {
	char *root, *log, *log_format, *rootless, *criu, *cgroup_manager;
	bool systemd_cgroup, debug, version, help;
};

struct verb_context {
	struct oci_globals globals;
	struct runtime rt; /* open only for verbs that need it */
	int exe_mount; /* runtime.h */
};

struct verb {
	const char *name;
	const char *usage; /* its words: "CONTAINER [SIGNAL]" */
	const char *summary; /* a sentence without a stop */
	const struct opt *opts;
	size_t args_size; /* of the struct that opts fill */
	const void *defaults; /* such a struct, or NULL: zeros */
	unsigned min_words, max_words;
	enum opts_grammar grammar;
	bool no_runtime; /* needs no --root */
	bool inside; /* puts a process into a container: the program must first be out of its reach */
	int failure; /* exit status of an error; 0: 1 */
	/* The exit status, or -errno with e filled. */
	int (*run)(struct verb_context *c, void *args, struct strv *words, struct err *e);
};

/* Of a verb whose words are one container. */
#define ONE_CONTAINER .usage = "CONTAINER", .min_words = 1, .max_words = 1
/* The rows of its options, and the struct that they fill. */
#define OPTIONS(rows, type) .opts = (rows), .args_size = sizeof(type)

extern const struct verb *const verbs[]; /* ends with NULL */
extern const struct opt oci_global_opts[];

/* Returns the exit status.  protect: called with argv before a verb that puts a process into a container; 0 or -errno;
 * *ret_mount: the mount that the program runs from by now, or as it was. */
int oci_main(char *const *argv, int (*protect)(char *const *argv, int *ret_mount));
/* log.c.  One line of --log, which is given. */
void oci_log(const struct oci_globals *g, const char *level, const char *msg);
/* With --debug: what happens to a verb, in the log or, without one, on stderr. */
void oci_debug(const struct oci_globals *g, const char *verb, const struct strv *words, const char *what);
/* Writes all of b to stdout. */
int oci_print(const struct buf *b, struct err *e);
void help_add_all(struct buf *out);
void help_add_verb(struct buf *out, const struct verb *v);

struct foreground_args {
	int pidfd, tty;
	struct notify *notify;
	bool keep;
};

/* foreground.c: stays until the process has ended and passes signals on to it (signals_hold before it runs, so that none
 * ends us first); tty: the socket over which the master of its terminal comes, -1: none.  Its exit status, or -errno. */
int foreground_wait(int pidfd, int tty, struct err *e);
/* The same for the first process of a container, which is deleted then, unless keep.  notify: its word of being ready is
 * passed on meanwhile; or NULL. */
int foreground_container(const struct verb_context *c, const char *id, const struct foreground_args *a,
			 struct err *e);

#define WORDS_ANY (~0U)

/* verbs_*.c */
extern const struct verb verb_create, verb_run, verb_start, verb_exec, verb_kill, verb_delete, verb_state,
	verb_list, verb_ps, verb_pause, verb_resume, verb_update, verb_spec, verb_features, verb_events,
	verb_checkpoint, verb_restore;

#endif

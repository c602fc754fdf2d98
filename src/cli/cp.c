/* cp.c - ketch cp: files between this host and an instance, by Docker's rules
 *
 * The bytes of a tar stream go between the monitor (cli/files.h) and a child of ours (cli/worker.h), or our own stdin
 * or stdout where the user wrote "-".
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/commands.h"
#include "cli/expander.h"
#include "cli/files.h"
#include "cli/text.h"
#include "cli/worker.h"

struct cp_args {
	bool archive, follow, quiet;
};

static const struct opt cp_opts[] = {
	OPT(FLAG, 'a', "archive", struct cp_args, archive, NULL, "Keep user and group IDs"),
	OPT(FLAG, 'L', "follow-link", struct cp_args, follow, NULL,
	    "If the source is a symbolic link, copy what it points to"),
	OPT(FLAG, 'q', "quiet", struct cp_args, quiet, NULL, "Say nothing when it is done"),
	{ 0 },
};

/* One of the two words: a path of this host, or of an instance. */
struct end {
	char *instance; /* owned; NULL: this host */
	const char *path;
};

/* One copy. */
struct copy {
	const struct cp_args *args;
	bool in; /* into the instance */
	const char *inside, *local;
	struct instance instance;
};

/* --- words */

/* "web:/etc"; what begins with "/" or "." is a path of this host, whatever follows. */
static int parse_end(const char *word, struct end *ret, struct err *e)
{
	const char *colon = strchr(word, ':');

	if (!*word)
		return err_set(e, EINVAL, "a path may not be empty");
	if (!colon || *word == '/' || *word == '.') {
		*ret = (struct end){ NULL, word };
		return 0;
	}
	if (colon == word)
		return err_set(e, EINVAL, "%s names no instance", word);
	*ret = (struct end){ strndup(word, (size_t)(colon - word)), colon[1] ? colon + 1 : "/" };
	return ret->instance ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int check_ends(const struct end *from, const struct end *to, struct err *e)
{
	if (from->instance && to->instance)
		return err_set(e, EINVAL, "copying between instances is not supported");
	if (!from->instance && !to->instance)
		return err_set(e, EINVAL, "one of the two must be in an instance, as in NAME:PATH");
	return 0;
}

/* --- this host */

static int open_root(const char *path, char **ret_absolute, struct err *e)
{
	autofree char *cwd = *path == '/' ? NULL : getcwd(NULL, 0);
	int fd = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	if ((!cwd && *path != '/') || fd < 0)
		return err_sys(e, errno, "cannot find the working directory");
	*ret_absolute = cwd ? str_printf("%s/%s", cwd, path) : strdup(path);
	if (!*ret_absolute) {
		close(fd);
		return err_set(e, ENOMEM, "out of memory");
	}
	return fd;
}

static int find_source(const struct copy *c, struct place *ret, struct err *e)
{
	autofree char *path = NULL;
	autoclose int root = open_root(c->local, &path, e);
	int r = root < 0 ? root : place_find(root, path, c->args->follow, ret);

	if (root < 0)
		return r;
	if (r == 0)
		r = files_check(ret);
	return r < 0 ? err_sys(e, -r, "%.200s", c->local) : 0;
}

static int find_destination(const struct copy *c, struct destination *ret, struct err *e)
{
	autofree char *path = NULL;
	autoclose int root = open_root(c->local, &path, e);

	return root < 0 ? root : files_find_destination(root, path, ret, e);
}

/* --- the instance */

/* Carries the archive. */
static int carry(struct engine *en, const struct copy *c, int archive_fd, struct files_end *ret,
		 struct err *e)
{
	const struct files_talk t = {
		.type = c->in ? MSG_PUT : MSG_GET,
		.fd = archive_fd,
		.request = {
			.path = (char *)(uintptr_t)c->inside, /* borrowed: only printed */
			.follow = !c->in && c->args->follow,
			.archive = c->in && !strcmp(c->local, "-"),
			.keep_owner = c->in && c->args->archive,
		},
	};

	return files_talk(en, &c->instance, &t, ret, e);
}

/* --- both */

/* The cause of a failure, of which the other end often knows only that the archive was cut short.  local: of our child. */
static int judge(const struct copy *c, const struct files_end *end, const struct err *local, struct err *e)
{
	bool has_said = end->said.len > 0, has_local = local->no && local->msg[0];
	int status = end->status;

	if (status == 0 && !local->no)
		return 0;
	if (has_local && (c->in || !has_said) && (status == 0 || status > 128 || has_said))
		return err_set(e, local->no, "%s%s%s", c->in ? "" : c->local, c->in ? "" : ": ", local->msg);
	if (has_said)
		return err_set(e, EIO, "%s:%s: %s", c->instance.spec.name, c->inside, end->said.data);
	if (status == 0 || status > 128)
		return err_set(e, EINTR, "the copy was interrupted");
	return STATUS_FAILED;
}

static int run_with_worker(struct engine *en, const struct copy *c, const struct work *w, struct err *e)
{
	AUTO(files_end_done) struct files_end end = { 0 };
	struct err local = { 0 };
	struct worker worker;
	int r = worker_start(w, &worker, e);

	if (r < 0)
		return r;
	r = carry(en, c, worker.archive_fd, &end, e);
	worker_end(&worker, &local);
	return r < 0 ? r : judge(c, &end, &local, e);
}

static int copy_in(struct engine *en, const struct copy *c, struct err *e)
{
	AUTO(place_done) struct place from = { .dir_fd = -1 };
	char name[PATH_NAME_MAX + 1];
	const struct work w = { .from = &from, .name = name };
	int r = find_source(c, &from, e);

	if (r == 0 && place_name(c->local, name) < 0)
		r = err_sys(e, ENAMETOOLONG, "%.200s", c->local);
	return r < 0 ? r : run_with_worker(en, c, &w, e);
}

static int copy_out(struct engine *en, const struct copy *c, struct err *e)
{
	AUTO(destination_done) struct destination to = { .place = { .dir_fd = -1 } };
	char name[PATH_NAME_MAX + 1];
	const struct work w = { .to = &to, .name = name, .flags = c->args->archive ? RESTORE_OWNER : 0 };
	int r = find_destination(c, &to, e);

	if (r == 0 && place_name(c->inside, name) < 0)
		r = err_sys(e, ENAMETOOLONG, "%.200s", c->inside);
	return r < 0 ? r : run_with_worker(en, c, &w, e);
}

static int copy_to_stdout(struct engine *en, const struct copy *c, struct err *e)
{
	AUTO(files_end_done) struct files_end end = { 0 };
	const struct err none = { 0 };
	int r = files_refuse_terminal(STDOUT_FILENO, e);

	if (r == 0)
		r = carry(en, c, STDOUT_FILENO, &end, e);
	return r < 0 ? r : judge(c, &end, &none, e);
}

static int copy_from_stdin(struct engine *en, const struct copy *c, struct err *e)
{
	AUTO(files_end_done) struct files_end end = { 0 };
	struct err local = { 0 };
	struct expander x;
	int r = files_refuse_terminal(STDIN_FILENO, e);

	if (r == 0)
		r = expander_start(en, STDIN_FILENO, &x, e);
	if (r < 0)
		return r;
	r = carry(en, c, x.fd, &end, e);
	expander_end(&x, &local);
	return r < 0 ? r : judge(c, &end, &local, e);
}

static void say_done(const struct copy *c)
{
	AUTO(buf_done) struct buf line = { 0 };

	if (c->args->quiet || !isatty(STDERR_FILENO) || !strcmp(c->local, "-"))
		return;
	buf_adds(&line, "Copied to ");
	if (c->in)
		buf_addf(&line, "%s:", c->instance.spec.name);
	text_add(&line, c->in ? c->inside : c->local);
	buf_addc(&line, '\n');
	if (buf_ok(&line))
		write_full(STDERR_FILENO, line.data, line.len); /* only for who looks on */
}

static int copy_run(struct cli *cli, struct copy *c, const char *name, struct err *e)
{
	struct engine *en = cli_engine(cli, e);
	int r = en ? engine_find(en, name, &c->instance, e) : -e->no;

	if (r < 0)
		return r;
	if (!strcmp(c->local, "-"))
		r = c->in ? copy_from_stdin(en, c, e) : copy_to_stdout(en, c, e);
	else
		r = c->in ? copy_in(en, c, e) : copy_out(en, c, e);
	if (r == 0)
		say_done(c);
	return r;
}

static int cp_run(struct cli *cli, void *args, struct strv *words, struct err *e)
{
	struct end from = { 0 }, to = { 0 };
	struct copy c = { .args = args };
	int r = parse_end(words->v[0], &from, e);

	if (r == 0)
		r = parse_end(words->v[1], &to, e);
	if (r == 0)
		r = check_ends(&from, &to, e);
	if (r == 0) {
		c.in = to.instance;
		c.inside = c.in ? to.path : from.path;
		c.local = c.in ? from.path : to.path;
		r = copy_run(cli, &c, c.in ? to.instance : from.instance, e);
	}
	instance_done(&c.instance);
	free(from.instance);
	free(to.instance);
	return r;
}

const struct command cmd_cp = {
	.name = "cp",
	.usage = "NAME:PATH LOCAL|- | LOCAL|- NAME:PATH",
	.summary = "Copy files between this host and an instance",
	.text = "A file goes to the path that is named, or, if that is a directory, into it under its own "
		"name.  A directory goes with all that is below it: to the path, or into the directory "
		"that is there; with \"/.\" at the end of its path only what is in it.  The directory "
		"above the path must be there.\n\n"
		"With - the copy is a tar archive on stdout, or one on stdin, which may be compressed by "
		"gzip, "
		"bzip2, xz or zstd, that is unpacked in the directory PATH.\n\n"
		"Files keep mode, time and attributes of users (user.*).  They belong to root inside, "
		"and to the caller outside, unless --archive is given, which keeps access control lists, "
		"too.  Set-user-id bits and capabilities of files stay only with --archive, and only on "
		"the way in.  Links are copied as links; device nodes are not copied, though an archive "
		"on stdout names them.  Paths inside begin at the root of the instance and see its "
		"mounts; no link leads out of it.  With the whole root, NAME:/, what the kernel has in "
		"/dev, /proc and /sys does not come along.\n\n"
		"The instance may run or not, a container may be paused.  Of one that does not run the "
		"files are reached by starting it without its command: a virtual machine boots for that.",
	.opts = cp_opts,
	.args_size = sizeof(struct cp_args),
	.min_words = 2,
	.max_words = 2,
	.words = WORDS_PLACE,
	.run = cp_run,
};

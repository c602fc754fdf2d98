/* commit.c - ketch commit: what an instance has written becomes the upper layer of a new image
 *
 * How it works: a child of ours speaks with the monitor and writes the layer into a pipe; at its other end ketch-image
 * reads it, in its sandbox, as any other layer: what a guest sends is foreign bytes.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "cli/change.h"
#include "cli/commands.h"
#include "cli/files.h"

#define REPORT_MAX 4096

struct commit_args {
	char *author, *message;
	bool pause;
	struct strv changes;
};

static const struct opt commit_opts[] = {
	OPT(STR, 'a', "author", struct commit_args, author, "NAME",
	    "Author, such as \"Ann Lee <ann@example.org>\""),
	OPT(LIST, 'c', "change", struct commit_args, changes, "INSTRUCTION",
	    "Apply a Dockerfile instruction, such as 'CMD [\"sh\"]', to the image"),
	OPT(FLAG, 'p', "pause", struct commit_args, pause, NULL,
	    "Let its processes stand still meanwhile (the default)"),
	OPT(STR, 'm', "message", struct commit_args, message, "TEXT", "What it is about"),
	{ 0 },
};

/* --- the child that fetches the layer */

struct fetcher {
	int pid;
	int layer_fd; /* to read */
	int report_fd; /* why it failed */
};

static __attribute__((noreturn)) void fetch(int fd, const struct instance *in, bool pause, int layer,
					    int report)
{
	const struct files_talk t = { .type = MSG_GET,
				      .fd = layer,
				      .request = { .kind = FILES_LAYER,
						   .still = pause && instance_is_live(&in->state) } };
	struct files_end end = { 0 };
	struct err e = { 0 };
	int r;

	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	r = files_pump(fd, &t, &end, &e);
	if (r == 0 && end.status != 128 + SIGPIPE) /* who has stopped reading has a reason, and tells it */
		r = files_judge(&end, in->spec.name, &e);
	if (r < 0)
		write_full(report, e.msg, strlen(e.msg)); /* the exit status tells even if nobody reads it */
	_exit(r ? STATUS_FAILED : 0);
}

/* Takes fd, a connection for files. */
static int fetcher_start(int fd, const struct instance *in, bool pause, struct fetcher *ret, struct err *e)
{
	int layer[2] = { -1, -1 }, report[2] = { -1, -1 }, no = 0, pid = -1;

	if (pipe_cloexec(layer) < 0 || pipe_cloexec(report) < 0)
		no = errno;
	else
		pid = fork();
	if (pid == 0) {
		close(layer[0]);
		close(report[0]);
		fetch(fd, in, pause, layer[1], report[1]);
	}
	if (pid < 0 && !no)
		no = errno;
	close(fd);
	for (int i = no ? 0 : 1; i < 2; i++) {
		if (layer[i] >= 0)
			close(layer[i]);
		if (report[i] >= 0)
			close(report[i]);
	}
	*ret = (struct fetcher){ pid, layer[0], report[0] };
	return no ? err_sys(e, no, "cannot start a process") : 0;
}

/* Its failure explains that of the image.  0; STATUS_FAILED when it has told the reason itself; or -errno. */
static int fetcher_end(struct fetcher *f, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int status = 0, r;

	close(f->layer_fd);
	r = read_to_end(f->report_fd, REPORT_MAX, &text);
	close(f->report_fd);
	while (waitpid(f->pid, &status, 0) < 0)
		if (errno != EINTR)
			return err_sys(e, errno, "cannot wait for a process");
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return r == 0 && text.len ? err_set(e, EIO, "%s", text.data) : STATUS_FAILED;
}

/* --- the image */

static void config_done(struct image_config *c)
{
	json_done(&image_config_table, c);
}

static int set_author(struct image_config *c, const char *author, struct err *e)
{
	if (!author)
		return 0;
	free(c->author);
	c->author = strdup(author);
	return c->author ? 0 : err_set(e, ENOMEM, "out of memory");
}

static int make_config(struct engine *en, const struct instance *in, const struct commit_args *a,
		       struct image_config *ret, struct err *e)
{
	struct image im = { 0 };
	int r = image_find(engine_images(en), in->spec.image_id, &im, e);

	if (r == 0)
		r = engine_commit_config(&in->spec, &im.config, ret, e);
	image_done(&im);
	if (r == 0)
		r = set_author(ret, a->author, e);
	for (size_t i = 0; i < a->changes.n && r == 0; i++)
		r = change_apply(a->changes.v[i], &ret->config, e);
	return r;
}

static int make_image(struct engine *en, const struct instance *in, bool pause,
		      const struct image_commit *commit, char **ret_id, struct err *e)
{
	struct err of_image = { 0 };
	struct fetcher f = { .pid = -1 };
	int fd = -1, k, r = engine_open_files(en, in, &fd, e);

	if (r == 0)
		r = fetcher_start(fd, in, pause, &f, e);
	if (r < 0)
		return r;
	r = image_commit(engine_images(en), f.layer_fd, commit, ret_id, &of_image);
	k = fetcher_end(&f, e);
	/* one that is not read to its end fails, too: that is not the reason */
	if (r < 0 && (k == 0 || of_image.no != EINVAL))
		k = err_set(e, of_image.no, "%s", of_image.msg);
	r = engine_settle_files(en, in, k ? NULL : e);
	return k ? k : r;
}

static char *join_words(const struct strv *words)
{
	struct buf b = { 0 };

	for (size_t i = 0; i < words->n; i++)
		buf_addf(&b, "%s%s", i ? " " : "", words->v[i]);
	return buf_take(&b);
}

static int commit_instance(struct cli *c, const struct commit_args *a, const struct strv *words,
			   struct err *e)
{
	AUTO(config_done) struct image_config config = { 0 };
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(buf_done) struct buf out = { 0 };
	autofree char *id = NULL, *created_by = NULL;
	struct image_commit commit = { .config = &config,
				       .comment = a->message,
				       .ref = words->n > 1 ? words->v[1] : NULL,
				       .progress = cli_progress() };
	struct engine *en = cli_engine(c, e);
	int r = en ? engine_find(en, words->v[0], &in, e) : -e->no;

	if (r == 0)
		r = make_config(en, &in, a, &config, e);
	if (r == 0) {
		created_by = join_words(&in.spec.process.args);
		commit.created_by = created_by;
		r = created_by ? make_image(en, &in, a->pause, &commit, &id, e)
			       : err_set(e, ENOMEM, "out of memory");
	}
	if (r)
		return r;
	buf_addf(&out, "%s\n", id);
	return cli_print(&out, e);
}

static int commit_run(struct cli *c, void *args, struct strv *words, struct err *e)
{
	/* before anything is done */
	int r = image_check_new_ref(words->n > 1 ? words->v[1] : NULL, e);

	return r < 0 ? r : commit_instance(c, args, words, e);
}

static const struct commit_args commit_defaults = { .pause = true };
const struct command cmd_commit = {
	.name = "commit",
	.usage = "NAME [REPO[:TAG]]",
	.summary = "Make a new image of what an instance has written",
	.text = "The layers of the new image are those of the instance's own image and one more, with what "
		"was "
		"added, changed and deleted; volumes and other mounts are not in it.  It runs as the "
		"instance "
		"does: the same command, user, environment and labels, but for what --change says.  The "
		"instance may run or not.\n\n"
		"Instructions for --change: CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK, LABEL, STOPSIGNAL, "
		"USER, VOLUME, "
		"WORKDIR.",
	.opts = commit_opts,
	.args_size = sizeof(struct commit_args),
	.defaults = &commit_defaults,
	.min_words = 1,
	.max_words = 2,
	.words = WORDS_INSTANCE,
	.run = commit_run,
};

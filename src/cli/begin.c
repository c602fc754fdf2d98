/* begin.c - starting an instance and taking part in it */
#include "cli/begin.h"

#include <errno.h>
#include <fcntl.h>
#include <strings.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/log.h"

/* -a: what is not named is left out. */
static int take_streams(const struct strv *names, bool *interactive, uint32_t *ret_without, struct err *e)
{
	static const char *const words[] = { "stdin", "stdout", "stderr" };
	uint32_t with = 0;

	for (size_t i = 0; i < names->n; i++) {
		size_t k = 0;

		while (k < ARRAY_LEN(words) && strcasecmp(words[k], names->v[i]) != 0)
			k++;
		if (k == ARRAY_LEN(words))
			return err_set(e, EINVAL, "--attach: '%.60s' is not stdin, stdout or stderr",
				       names->v[i]);
		with |= ATTACH_STDIN << k;
	}
	if (!names->n)
		return 0;
	*interactive = with & ATTACH_STDIN;
	*ret_without = ~with & (ATTACH_STDOUT | ATTACH_STDERR);
	return 0;
}

int begin_prepare(const struct take_part *t, const struct instance_spec *spec, bool interactive,
		  struct attach *ret, struct err *e)
{
	struct attach how = {
		.tty = spec->process.tty,
		.keep_signals = !t->sig_proxy,
		.in_fd = STDIN_FILENO,
		.out_fd = STDOUT_FILENO,
		.err_fd = STDERR_FILENO,
	};
	int r = detach_keys_parse(t->detach_keys, &how.keys, e);

	if (r == 0)
		r = take_streams(&t->streams, &interactive, &how.without, e);
	if (r < 0)
		return r;
	how.interactive = interactive && spec->open_stdin;
	*ret = how;
	return 0;
}

struct begun {
	struct engine *en;
	const struct instance_spec *spec;
};

static int write_pid(const struct begun *b, struct err *e)
{
	AUTO(instance_done) struct instance in = { 0 };
	AUTO(buf_done) struct buf text = { 0 };
	int r = engine_find(b->en, b->spec->id, &in, e);

	if (r < 0)
		return r;
	buf_addf(&text, "%d", in.state.pid);
	r = write_file_swap(AT_FDCWD, b->spec->pid_file, 0644, text.data, text.len);
	return r < 0 ? err_sys(e, -r, "--pidfile %s", b->spec->pid_file) : 0;
}

static void on_started(void *arg)
{
	const struct begun *b = arg;
	struct err e = { 0 };

	if (b->spec->pid_file && write_pid(b, &e) < 0)
		log_warn("%s", e.msg);
}

/* --rm of what we saw end; that it is gone already is fine. */
static void remove_ended(struct engine *en, const struct instance_spec *spec)
{
	struct instance in = { .spec = *spec, .state.status = STATUS_EXITED };
	struct err e = { 0 };
	int r = engine_remove(en, &in, REMOVE_FORCE, &e);

	if (r < 0 && r != -ENOENT)
		log_warn("%s", e.msg);
}

int begin_follow(struct engine *en, const struct instance_spec *spec, const struct attach *how, int fd,
		 bool *ret_detached)
{
	struct begun begun = { en, spec };
	struct attach a = *how;

	a.ret_detached = ret_detached;
	a.started = on_started;
	a.arg = &begun;
	return attach_run(fd, &a);
}

int begin_started(struct engine *en, const struct instance_spec *spec, const struct attach *how, int r,
		  int fd)
{
	bool detached = false;
	int status = r;

	if (status == -EALREADY)
		return status;
	if (status == 0)
		status = begin_follow(en, spec, how, fd, &detached);
	/* the monitor removes one that nobody is attached to */
	if (spec->auto_remove && !detached && (!how->detach || status != 0))
		remove_ended(en, spec);
	return status;
}

int begin_run(struct engine *en, const struct instance_spec *spec, const struct attach *how, struct err *e)
{
	int fd = -1, r = engine_start(en, spec, &fd, e);

	return begin_started(en, spec, how, r, fd);
}

int begin_locked(struct engine *en, const struct instance *in, int lock, struct err *e)
{
	const struct attach how = { .detach = true };
	int fd = -1, r = engine_start_locked(en, in, lock, &fd, e);

	return r < 0 ? r : begin_follow(en, &in->spec, &how, fd, NULL);
}

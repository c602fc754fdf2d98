/* start.c - a recorded instance starts: its lock, and a monitor with all that start_give.c has opened
 *
 * The lock is taken first and goes to the monitor as an open descriptor: from then on until the monitor ends
 * the instance counts as running, with no moment between.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/path.h"
#include "engine/engine_int.h"
#include "engine/net_int.h"
#include "engine/snapshot.h"
#include "engine/start_int.h"
#include "instance/boot.h"
#include "sys/patience.h"

#define START_WAIT_S 150 /* longer than a machine may take to boot */

/* The boot document as a file whose position is at its start. */
static int boot_document(const struct boot *b, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int fd, r = json_print(&boot_table, b, 0, &text);

	if (r < 0)
		return err_set(e, ENOMEM, "out of memory");
	fd = fd_move_above_stdio(memfd_create("ketch-boot", MFD_CLOEXEC));
	if (fd < 0)
		return err_sys(e, errno, "memfd");
	r = write_full(fd, text.data, text.len);
	if (r == 0 && lseek(fd, 0, SEEK_SET) < 0)
		r = -errno;
	if (r < 0) {
		close(fd);
		return err_sys(e, -r, "boot document");
	}
	return fd;
}

/* Descriptors that the child keeps: duplicated onto themselves, which clears close-on-exec. */
static int keep_fds(const struct boot *b, int boot_fd_no, posix_spawn_file_actions_t *fa)
{
	int r = posix_spawn_file_actions_adddup2(fa, boot_fd_no, boot_fd_no);

	for (size_t i = 0; i < b->n_fds && r == 0; i++)
		r = posix_spawn_file_actions_adddup2(fa, b->fds[i].fd, b->fds[i].fd);
	for (int i = 0; i < 3 && r == 0; i++)
		if (i < 2 || !getenv("KETCH_DEBUG"))
			r = posix_spawn_file_actions_addopen(fa, i, "/dev/null", O_RDWR, 0);
	return r;
}

static int spawn_monitor(struct starter *s, struct err *e)
{
	autoclose int doc = boot_document(&s->boot, e);
	char number[16], debug[64], program[32],
		*path = (char[]){ "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin" };
	char *argv[] = { (char[]){ "ketch-monitor" }, s->spec->name, number, NULL };
	char *envp[] = { path, debug, NULL };
	posix_spawn_file_actions_t fa;
	posix_spawnattr_t attr;
	sigset_t none;
	pid_t pid;
	int r;

	if (doc < 0)
		return doc;
	snprintf(program, sizeof(program), "/proc/self/fd/%d", boot_fd(&s->boot, "program"));
	snprintf(number, sizeof(number), "%d", doc);
	snprintf(debug, sizeof(debug), "KETCH_DEBUG=%s", getenv("KETCH_DEBUG") ? getenv("KETCH_DEBUG") : "");
	envp[1] = getenv("KETCH_DEBUG") ? debug : NULL;
	posix_spawn_file_actions_init(&fa);
	posix_spawnattr_init(&attr);
	sigemptyset(&none); /* a command may hold signals back */
	posix_spawnattr_setsigmask(&attr, &none);
	posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK);
	r = keep_fds(&s->boot, doc, &fa);
	if (r == 0)
		r = posix_spawn(&pid, program, &fa, &attr, argv, envp);
	posix_spawnattr_destroy(&attr);
	posix_spawn_file_actions_destroy(&fa);
	return r ? err_sys(e, r, "the program ketch-monitor") : 0;
}

static void starter_done(struct starter *s)
{
	net_wiring_free(s->net);
	for (size_t i = 0; i < s->boot.n_fds; i++)
		close(s->boot.fds[i].fd);
	json_done(&boot_table, &s->boot);
	json_done(&instance_spec_table, &s->now);
}

/* Under the lock, without which no record is removed, and no instance goes on with another image: both may have been before. */
static int take_record(struct starter *s, struct err *e)
{
	int r = record_find(s->en->db, s->spec->id, &s->now, e);

	if (r == 0)
		s->spec = &s->now;
	else if (r == -ENOENT)
		remove_tree(s->en->instances_fd, s->spec->id);
	return r;
}

/* The lock of an instance that does not run.  Others hold it for a moment: a monitor that has written its last word, a
 * command that looks at it, removes it or starts it, too. */
int start_lock(struct engine *en, const struct instance_spec *spec, int *ret, struct err *e)
{
	struct patience p = patience_for_ms(START_WAIT_S * 1000L);
	struct instance now = { .spec = *spec };
	int r, wait = 0;

	while ((r = truth_lock(en, spec->id, ret, e)) == -EBUSY && wait == 0) {
		r = truth_refresh(en, &now, e);
		if (r == 0 && instance_is_live(&now.state) && now.state.status != STATUS_STARTING)
			r = err_set(e, EALREADY, "%s is running", spec->name);
		wait = r == 0 ? patience_pause(&p) : 0;
		if (wait == -EINTR)
			r = err_set(e, EINTR, "interrupted, while another command is busy with %s",
				    spec->name);
		if (r < 0)
			break;
	}
	json_done(&instance_state_table, &now.state);
	return r;
}

int start_hold_off(struct engine *en, struct instance *in, int *ret_lock, struct err *e)
{
	int r;

	*ret_lock = -1;
	if (in->state.status == STATUS_RUNNING || in->state.status == STATUS_PAUSED)
		return 0;
	r = start_lock(en, &in->spec, ret_lock, e);
	if (r == -EALREADY)
		return truth_refresh(en, in, e);
	return r < 0 ? r : truth_settle(en, in, e);
}

static int settle(const struct starter *s, struct err *e)
{
	struct instance now = { .spec = *s->spec };
	int r = truth_settle(s->en, &now, e);

	json_done(&instance_state_table, &now.state);
	return r;
}

/* Said before the monitor is there to say it: whoever looks meanwhile, or finds it killed, takes it for nothing else. */
static int note_files(const struct starter *s)
{
	const struct instance_state st = { .status = STATUS_CREATED, .files_only = true };
	AUTO(buf_done) struct buf b = { 0 };
	int r = json_print(&instance_state_table, &st, 0, &b);

	return r < 0 ? r : write_file_swap(boot_fd(&s->boot, "run"), "state.json", 0600, b.data, b.len);
}

/* Its monitor will say so, too, but whoever changes its networks must know before they are wired (net_begin_for). */
static int note_again(const struct starter *s, struct err *e)
{
	struct instance_state st = *s->was;
	AUTO(buf_done) struct buf b = { 0 };
	int r;

	st.status = STATUS_STARTING;
	r = json_print(&instance_state_table, &st, 0, &b);
	if (r == 0)
		r = write_file_swap(boot_fd(&s->boot, "run"), "state.json", 0600, b.data, b.len);
	return r < 0 ? err_sys(e, -r, "state of %s", s->spec->name) : 0;
}

static int start_monitor(struct starter *s, struct err *e)
{
	int r = s->boot.files_only ? note_files(s) : truth_note_start(s->dir_fd);

	if (r < 0)
		return err_sys(e, -r, "directory of %s", s->spec->name);
	r = spawn_monitor(s, e);
	if (r < 0 && !s->boot.files_only)
		truth_forget_start(s->dir_fd);
	return r;
}

/* From the lock (taken) to a monitor that runs.  Started again, its run directory stays as the last monitor left it. */
static int launch(struct starter *s, int lock, int *ret_fd, struct err *e)
{
	autoclose int ours = -1;
	int r = start_give(s, "lock", lock, e);

	if (r == 0 && !s->scratch)
		r = take_record(s, e);
	if (r == 0 && !s->was)
		r = settle(s, e);
	if (r == 0)
		r = start_give_dirs(s, e);
	if (r == 0 && s->was)
		r = note_again(s, e);
	if (r == 0)
		r = start_give_all(s, e);
	if (r == 0 && !s->boot.files_only)
		s->boot.snapshot_in_ns = snapshot_auto_due_ns(s->en, s->spec);
	if (r == 0)
		r = start_give_client(s, &ours, e);
	if (r == 0)
		r = start_give_program(s, e);
	if (r == 0)
		r = start_monitor(s, e);
	if (r == 0)
		net_finish(s->net);
	s->net = net_wiring_free(s->net); /* and with it the lock that a release takes */
	if (r < 0 && !s->boot.files_only)
		net_release_held(s->en, s->spec->id, true, NULL);
	if (r == 0)
		*ret_fd = take_fd(&ours);
	return r;
}

static int start(struct starter *s, int *ret_fd, struct err *e)
{
	int lock, r = start_lock(s->en, s->spec, &lock, e);

	if (r < 0)
		return r;
	r = launch(s, lock, ret_fd, e);
	if (r < 0)
		remove_tree(s->en->run_fd, s->spec->id);
	return r;
}

int engine_start(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e)
{
	AUTO(starter_done) struct starter s = { .en = en, .spec = spec, .dir_fd = -1 };

	return start(&s, ret_fd, e);
}

int engine_start_saved(struct engine *en, const struct instance_spec *spec, const struct snapshot *from,
		       int *ret_fd, struct err *e)
{
	AUTO(starter_done) struct starter s = { .en = en, .spec = spec, .dir_fd = -1, .saved = from };

	return start(&s, ret_fd, e);
}

int engine_start_blank(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e)
{
	AUTO(starter_done) struct starter s = { .en = en, .spec = spec, .boot.blank = true, .dir_fd = -1 };

	return start(&s, ret_fd, e);
}

int start_files(struct engine *en, const struct instance_spec *spec, int *ret_fd, struct err *e)
{
	AUTO(starter_done)
	struct starter s = { .en = en, .spec = spec, .boot.files_only = true, .dir_fd = -1 };

	return start(&s, ret_fd, e);
}

int start_scratch(struct engine *en, const struct instance_spec *spec, const struct writable *w, int lock,
		  int *ret_fd, struct err *e)
{
	AUTO(starter_done)
	struct starter s = { .en = en, .spec = spec, .boot.files_only = true, .dir_fd = -1, .scratch = w };
	int r = launch(&s, lock, ret_fd, e);

	if (r < 0)
		remove_tree(en->run_fd, spec->id);
	return r;
}

int engine_start_locked(struct engine *en, const struct instance *in, int lock, int *ret_fd, struct err *e)
{
	AUTO(starter_done)
	struct starter s = { .en = en, .spec = &in->spec, .dir_fd = -1, .was = &in->state };
	struct instance ended = { .spec = in->spec };
	int r = truth_take_lock(en, in->spec.id, lock, e);

	if (r < 0)
		return r;
	s.boot.restarts = in->state.restarts;
	s.boot.backoff_ms = in->state.backoff_ms;
	r = launch(&s, lock, ret_fd, e);
	if (r == 0)
		return 0;
	if (json_copy(&instance_state_table, &in->state, &ended.state) == 0)
		truth_record_end(en, &ended, e->msg, NULL);
	json_done(&instance_state_table, &ended.state);
	remove_tree(en->run_fd, in->spec.id);
	return r;
}

/* saving.c - the memory of a running machine goes into the files of a snapshot */
#include "vm/saving.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "base/auto.h"
#include "vm/saving_int.h"
#include "vm/share.h"
#include "vm/tmpfs_room.h"

#define MOST_TRIES    1000
#define DEVICES_BYTES (64u << 20) /* far more than QEMU writes beside the RAM */
#define NOT_WRITTEN   "QEMU could not write all of the machine's memory"

static void go_on(struct vm_saving *s);

bool vm_saving_is_busy(const struct vm_saving *s)
{
	return s->waits || s->migrating || s->state_fd >= 0;
}

static uint64_t room_bytes(const struct vm_saving *s)
{
	return s->boot->spec.vm.ram_bytes + DEVICES_BYTES;
}

static int take_room(struct vm_saving *s, int fd, struct err *e)
{
	int r;

	if (!s->boot->spec.resources.memory_bytes) /* no ceiling */
		return 0;
	r = tmpfs_room_take(fd, room_bytes(s));
	s->room_fd = r < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, 0);
	if (r == 0 && s->room_fd < 0)
		r = -errno;
	return r < 0 ? err_sys(e, -r, "room for the memory") : 0;
}

static void trim_room(struct vm_saving *s)
{
	if (s->room_fd < 0)
		return;
	tmpfs_room_trim(s->room_fd, room_bytes(s));
	close(take_fd(&s->room_fd));
}

/* All that was asked for has been answered; *why->no: not well. */
static void end(struct vm_saving *s, const struct err *why, const char *text)
{
	bool due = s->go_on_due;

	if (s->last || why->no)
		trim_room(s);
	if (s->going_on && !why->no && s->control->qmp)
		s->silence(s->arg, false);
	s->going_on = s->go_on_due = false;
	s->answer(s->arg, why->no, why->no ? why->msg : text);
	if (due)
		go_on(s);
}

/* --- requests */

/* Who asked is a command of the same user, but a name is no path. */
bool saving_is_id(const char *text, size_t len)
{
	return text && strlen(text) == len && strspn(text, "0123456789abcdef") == len;
}

static int open_file(const struct vm_saving *s, const char *id, const char *name, struct err *e)
{
	autofree char *path = str_printf("snapshots/%s", id);
	autoclose int dir = !path ? -1
				  : openat(boot_fd(s->boot, "dir"), path,
					   O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fd = dir < 0 ? -1 : openat(dir, name, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	return fd < 0 ? err_sys(e, errno, "the file \"%s\" of the snapshot", name) : fd;
}

int vm_saving_check(const struct instance_spec *spec, struct err *e)
{
	/* its servers know what the guest has open, and cannot be asked */
	for (size_t i = 0; i < spec->n_mounts; i++)
		if (share_is_needed(&spec->mounts[i]))
			return err_set(
				e, ENOTSUP,
				"the memory of a machine with mounts of the host (%.200s) cannot be saved",
				spec->mounts[i].target);
	return 0;
}

int saving_ask(struct vm_saving *s, const char *line, int fd, struct err *e)
{
	int r = vm_control_ask(s->control, line, fd);

	s->waits += r == 0;
	return r < 0 ? err_sys(e, -r, "the machine is not to be reached") : 0;
}

/* --- ketch-vmm */

static int write_ram(struct vm_saving *s, const char *id, struct err *e)
{
	autoclose int fd = open_file(s, id, "ram", e);
	int r;

	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)s->boot->spec.vm.ram_bytes) < 0)
		return err_sys(e, errno, "the file of the memory");
	r = take_room(s, fd, e);
	if (r == 0)
		r = saving_ask(s, "ram whole\n", fd, e);
	return r < 0 ? r : saving_ask(s, "write\n", -1, e);
}

static int write_rest(struct vm_saving *s, const char *id, struct err *e)
{
	autoclose int fd = open_file(s, id, "state", e);

	return fd < 0 ? fd : saving_ask(s, "save\n", fd, e);
}

/* --- QEMU */

static void forget_patience(struct vm_saving *s)
{
	if (s->patience.fd < 0)
		return;
	loop_del(s->control->loop, &s->patience);
	close(take_fd(&s->patience.fd));
}

/* It will not be silent: its stopped agent, or its kernel that hangs, is nothing to wait for. */
static void on_patience_over(void *arg, uint32_t events)
{
	struct vm_saving *s = arg;
	struct err e = { 0 };

	(void)events;
	forget_patience(s);
	close(take_fd(&s->state_fd));
	err_set(&e, ETIMEDOUT, "its guest does not answer: the memory is not saved");
	end(s, &e, NULL);
}

static int begin_patience(struct vm_saving *s)
{
	int ms = s->patience_ms ? s->patience_ms : SAVING_SILENCE_MS, r;
	const struct itimerspec t = { .it_value = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000L } };
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);

	if (fd < 0)
		return -errno;
	s->patience = (struct watch){ .fd = fd, .events = EPOLLIN, .fn = on_patience_over, .arg = s };
	r = timerfd_settime(fd, 0, &t, NULL) < 0 ? -errno : loop_add(s->control->loop, &s->patience);
	if (r < 0)
		close(take_fd(&s->patience.fd));
	return r;
}

static int begin_silence(struct vm_saving *s, const char *id, struct err *e)
{
	int r;

	if (s->paused) /* and whoever is restored from it would be, too */
		return err_set(e, EAGAIN, "it is paused: its memory is saved while it runs");
	s->state_fd = open_file(s, id, "state", e);
	if (s->state_fd < 0)
		return s->state_fd;
	r = take_room(s, s->state_fd, e);
	if (r == 0 && (r = begin_patience(s)) < 0)
		err_sys(e, -r, "a timer");
	if (r == 0 && (r = s->silence(s->arg, true)) < 0)
		err_sys(e, -r, "the guest is not to be reached");
	if (r < 0) {
		forget_patience(s);
		close(take_fd(&s->state_fd));
	}
	return r;
}

/* The guest's kernel runs until the last of it is written: its workload stands still. */
void vm_saving_silent(struct vm_saving *s)
{
	autoclose int fd = take_fd(&s->state_fd);
	struct err e = { 0 };
	int r;

	forget_patience(s);
	if (fd < 0)
		return;
	r = saving_ask(s,
		       "{\"execute\":\"migrate-set-capabilities\",\"arguments\":{\"capabilities\":["
		       "{\"capability\":\"events\",\"state\":true}]}}\n",
		       -1, &e);
	if (r == 0) /* no limit that a disk has not */
		r = saving_ask(s,
			       "{\"execute\":\"migrate-set-parameters\",\"arguments\":{\"max-bandwidth\":"
			       "1099511627776}}\n",
			       -1, &e);
	if (r == 0)
		r = saving_ask(s, "{\"execute\":\"getfd\",\"arguments\":{\"fdname\":\"state\"}}\n", fd, &e);
	if (r == 0)
		r = saving_ask(s, "{\"execute\":\"migrate\",\"arguments\":{\"uri\":\"fd:state\"}}\n", -1, &e);
	s->migrating = r == 0;
	if (r < 0) {
		s->waits = 0; /* its socket is closed */
		end(s, &e, NULL);
	}
}

void vm_saving_migrated(struct vm_saving *s, bool well)
{
	struct err e = { 0 };

	if (!s->migrating)
		return;
	s->migrating = false;
	if (!well && !s->why.no) {
		err_set(&s->why, EIO, NOT_WRITTEN);
		s->asks_why = saving_ask(s, "{\"execute\":\"query-migrate\"}\n", -1, &e) == 0;
	}
	if (!s->waits)
		end(s, &s->why, "{}");
}

/* In QEMU's words, where it has some. */
static void note_why(struct vm_saving *s, const char *line)
{
	static const char key[] = "\"error-desc\": \"";
	const char *at = strstr(line, key);

	if (!at)
		return;
	at += strlen(key);
	err_set(&s->why, EIO, NOT_WRITTEN ": %.*s", (int)strcspn(at, "\""), at);
}

/* What is under way shall not be finished: who asked has gone. */
static void give_up(struct vm_saving *s)
{
	struct err e = { 0 };

	s->go_on_due = true;
	err_set(&s->why, ECANCELED, "nobody waits for it any more");
	if (s->state_fd >= 0) {
		forget_patience(s);
		close(take_fd(&s->state_fd));
		end(s, &s->why, NULL);
	} else if (s->migrating) {
		saving_ask(s, "{\"execute\":\"migrate_cancel\"}\n", -1, &e);
	}
}

/* --- either */

void vm_saving_close(struct vm_saving *s)
{
	forget_patience(s);
	if (s->state_fd >= 0)
		close(take_fd(&s->state_fd));
	if (s->room_fd >= 0)
		close(take_fd(&s->room_fd));
}

static int ask_to_go_on(struct vm_saving *s, struct err *e)
{
	return saving_ask(s, s->control->qmp ? "{\"execute\":\"cont\"}\n" : "resume\n", -1, e);
}

static void go_on(struct vm_saving *s)
{
	struct err e = { 0 };

	s->why = e;
	s->tries = 0;
	s->last = s->going_on = true;
	if (s->paused || ask_to_go_on(s, &e) < 0)
		end(s, &e, "");
}

static int begin(struct vm_saving *s, uint32_t step, const char *id, struct err *e)
{
	bool qemu = s->boot->spec.vm.driver == VM_DRIVER_QEMU;
	int r;

	if (step == SAVE_DISK)
		return saving_switch(s, id, e);
	r = vm_saving_check(&s->boot->spec, e);
	if (r < 0)
		return r;
	if (!saving_is_id(id, SAVING_ID_LEN))
		return err_set(e, EINVAL, "this is no id of a snapshot");
	if (qemu)
		return step == SAVE_WRITE ? 0 : begin_silence(s, id, e);
	return step == SAVE_WRITE ? write_ram(s, id, e) : write_rest(s, id, e);
}

void vm_saving_ask(struct vm_saving *s, const struct msg *m)
{
	autofree char *id = msg_text(m);
	uint32_t step = msg_u32(m, 0);
	struct err e = { 0 };

	if (vm_saving_is_busy(s) && step == SAVE_GO_ON) {
		give_up(s);
		return;
	}
	if (s->pausing && step == SAVE_GO_ON) {
		s->go_on_due = true;
		return;
	}
	if (s->pausing) { /* the answers would be taken for ours */
		s->answer(s->arg, EBUSY, "it is just being paused, or goes on");
		return;
	}
	if (vm_saving_is_busy(s)) {
		s->answer(s->arg, EBUSY, "its memory is just being saved");
		return;
	}
	if (step == SAVE_GO_ON) {
		go_on(s);
		return;
	}
	s->why = e;
	s->last = step == SAVE_REST;
	s->switching = step == SAVE_DISK;
	s->refused = false;
	if (begin(s, step, id, &e) < 0) {
		s->waits = 0;
		end(s, &e, NULL);
	} else if (!vm_saving_is_busy(s)) {
		end(s, &e, "");
	}
}

bool vm_saving_paused(struct vm_saving *s, bool well, bool paused)
{
	if (!s->pausing)
		return false;
	s->pausing--;
	if (well)
		s->paused = paused;
	if (!s->pausing && s->go_on_due) {
		s->go_on_due = false;
		go_on(s);
	}
	return true;
}

/* QEMU says that its migration is complete before it can go on ("Migration is not finalized yet"): a turn of its loop later
 * it can. */
static bool ask_again(struct vm_saving *s, const char *error)
{
	struct err e = { 0 };

	return s->going_on && strstr(error, "not finalized") && s->tries++ < MOST_TRIES &&
	       ask_to_go_on(s, &e) == 0;
}

void vm_saving_answered(struct vm_saving *s, const char *error, const char *line)
{
	s->waits--;
	if (error && ask_again(s, error))
		return;
	if (error && !s->why.no)
		err_set(&s->why, s->switching ? ENOTSUP : EIO, "%s", error);
	if (error) {
		s->migrating = false; /* it has not begun */
		s->refused = true;
	}
	if (s->asks_why && !s->waits) {
		s->asks_why = false;
		note_why(s, line);
	}
	if (s->waits || s->migrating)
		return;
	if (s->switching && !s->refused) /* also if nobody waits for it any more */
		s->overlay = s->overlays;
	end(s, &s->why, line);
}

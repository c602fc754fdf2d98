/* saving.c - the memory of a running machine goes into the files of a snapshot */
#include "vm/saving.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "vm/share.h"

static void end(struct vm_saving *s, const struct err *e)
{
	s->waits = 0;
	s->answer(s->arg, e->no, e->msg);
}

/* Who asked is a command of the same user, but a name is no path. */
static bool is_id(const char *text)
{
	return strlen(text) == SAVING_ID_LEN && strspn(text, "0123456789abcdef") == SAVING_ID_LEN;
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

/* Its servers know what the guest has open, and cannot be asked. */
static int check(const struct vm_saving *s, struct err *e)
{
	const struct instance_spec *spec = &s->boot->spec;

	if (spec->vm.driver != VM_DRIVER_KVM)
		return err_set(e, ENOTSUP, "the memory of a machine is saved under --driver kvm only");
	if (share_count(spec))
		return err_set(
			e, ENOTSUP,
			"the memory of a machine with mounts of the host (-v, --mount) cannot be saved");
	return 0;
}

static int ask(struct vm_saving *s, const char *line, int fd, struct err *e)
{
	int r = vm_control_ask(s->control, line, fd);

	s->waits += r == 0;
	return r < 0 ? err_sys(e, -r, "the machine is not to be reached") : 0;
}

static int write_ram(struct vm_saving *s, const char *id, struct err *e)
{
	autoclose int fd = open_file(s, id, "ram", e);
	int r;

	if (fd < 0)
		return fd;
	if (ftruncate(fd, (off_t)s->boot->spec.vm.ram_bytes) < 0)
		return err_sys(e, errno, "the file of the memory");
	r = ask(s, "ram whole\n", fd, e);
	return r < 0 ? r : ask(s, "write\n", -1, e);
}

static int write_rest(struct vm_saving *s, const char *id, struct err *e)
{
	autoclose int fd = open_file(s, id, "state", e);

	return fd < 0 ? fd : ask(s, "save\n", fd, e);
}

void vm_saving_ask(struct vm_saving *s, const struct msg *m)
{
	autofree char *id = msg_text(m);
	uint32_t step = msg_u32(m, 0);
	struct err e = { 0 };
	int r = s->waits ? err_set(&e, EBUSY, "its memory is just being saved") : check(s, &e);

	if (s->waits) {
		s->answer(s->arg, e.no, e.msg);
		return;
	}
	s->why = (struct err){ 0 };
	if (r == 0 && step == SAVE_GO_ON)
		r = s->paused ? 0 : ask(s, "resume\n", -1, &e);
	else if (r == 0 && (!id || !is_id(id)))
		r = err_set(&e, EINVAL, "this is no id of a snapshot");
	else if (r == 0)
		r = step == SAVE_WRITE ? write_ram(s, id, &e) : write_rest(s, id, &e);
	if (r < 0)
		end(s, &e);
	else if (!s->waits)
		s->answer(s->arg, 0, "");
}

void vm_saving_answered(struct vm_saving *s, const char *error, const char *line)
{
	if (error && !s->why.no)
		err_set(&s->why, EIO, "%s", error);
	if (--s->waits)
		return;
	if (s->why.no)
		end(s, &s->why);
	else
		s->answer(s->arg, 0, line);
}

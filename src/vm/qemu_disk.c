/* qemu_disk.c - driver qemu: a disk of the machine, and what it stands on
 *
 * Every image is named by its descriptor and its format is said: QEMU probes nothing, and opens nothing by a name that a
 * file has in it.
 */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "instance/guest.h"
#include "vm/qemu_int.h"

static int add(struct machine *m, const char *option, const char *value)
{
	int r = strv_add(&m->argv, option);

	return r < 0 ? r : strv_add(&m->argv, value);
}

/* Of its tables a machine on many images keeps few of each in memory: by itself QEMU takes 8 MiB and more for one. */
#define TABLES "l2-cache-size=524288,l2-cache-entry-size=4096,"

/* The file behind a descriptor. */
static int add_file(struct machine *m, const char *node, int number, const char *options)
{
	autofree char *set = str_printf("fd=%d,set=%d", number, number);
	autofree char *file = str_printf("driver=file,node-name=%s,filename=/dev/fdset/%d,locking=off,%s",
					 node, number, options);
	int r = set && file ? add(m, "-add-fd", set) : -ENOMEM;

	return r < 0 ? r : add(m, "-blockdev", file);
}

/* The image i of those below, on top of the one before it: node "below-I", its file "below-I-file". */
static int add_below(struct machine *m, int i, int fd)
{
	autofree char *node = str_printf("below-%d", i), *file = str_printf("below-%d-file", i);
	autofree char *image =
		str_printf("driver=qcow2," TABLES "node-name=below-%d,file=below-%d-file,read-only=on,"
			   "backing=below-%d",
			   i, i, i - 1);
	int r;

	if (!node || !file || !image || m->n_fds == ARRAY_LEN(m->fds))
		return -ENOMEM;
	m->fds[m->n_fds++] = (struct child_fd){ fd, MACHINE_FD_BELOW + i };
	r = add_file(m, i ? file : node, MACHINE_FD_BELOW + i, "read-only=on");
	return r < 0 || !i ? r : add(m, "-blockdev", image);
}

static int add_stack(struct machine *m, const char *name, int number)
{
	autofree char *top = NULL;
	int n = 0, fd, r = 0;

	while (r == 0 && (fd = boot_fd_n(m->boot, "sealed", (size_t)n)) >= 0)
		r = add_below(m, n++, fd);
	if (r < 0 || !n)
		return r < 0 ? r : add_file(m, name, number, "discard=unmap");
	top = str_printf("driver=qcow2," TABLES "node-name=%s,file=top-file,discard=unmap,backing=below-%d",
			 name, n - 1);
	r = top ? add_file(m, "top-file", number, "discard=unmap") : -ENOMEM;
	return r < 0 ? r : add(m, "-blockdev", top);
}

static int apply_disk(void *ctx, const struct step *s, struct err *e)
{
	struct machine *m = ctx;
	uint32_t number;
	int r = parse_u32(s->data, &number);

	if (r == 0)
		r = strcmp(s->what, GUEST_DISK) ? add_file(m, s->what, (int)number, "read-only=on")
						: add_stack(m, s->what, (int)number);
	return r < 0 ? err_sys(e, -r, "disk %s", s->what) : 0;
}
const struct step_op op_qemu_disk = { "vmm-disk", STAGE_HOST, apply_disk };

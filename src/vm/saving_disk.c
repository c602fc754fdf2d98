/* saving_disk.c - the machine's disk is written to the image of a new layer from now on */
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "instance/guest.h"
#include "storage/layer.h"
#include "vm/saving_int.h"

#define FIRST_SET 1000 /* of descriptors: those of its command line are below */

/* QEMU (qapi/block-core.json): the image becomes a node, as in qemu_disk.c, and that the overlay of the one that the device has.  A node that was
 * made in vain stays, and its name with it. */
static int switch_qemu(struct vm_saving *s, int fd, struct err *e)
{
	unsigned n = ++s->overlays;
	autofree char *set =
		str_printf("{\"execute\":\"add-fd\",\"arguments\":{\"fdset-id\":%u}}\n", FIRST_SET + n);
	autofree char *node = str_printf(
		"{\"execute\":\"blockdev-add\",\"arguments\":{\"driver\":\"qcow2\",\"node-name\":\"overlay-%"
		"u\","
		"\"l2-cache-size\":524288,\"l2-cache-entry-size\":4096,\"discard\":\"unmap\",\"backing\":"
		"null,\"file\":{\"driver\":\"file\",\"locking\":\"off\","
		"\"discard\":\"unmap\",\"filename\":\"/dev/fdset/%u\"}}}\n",
		n, FIRST_SET + n);
	autofree char *before = s->overlay ? str_printf("overlay-%u", s->overlay) : str_printf(GUEST_DISK);
	autofree char *over = str_printf("{\"execute\":\"blockdev-snapshot\",\"arguments\":{\"node\":\"%s\","
					 "\"overlay\":\"overlay-%u\"}}\n",
					 before ? before : "", n);
	int r = set && node && before && over ? 0 : err_set(e, ENOMEM, "out of memory");

	if (r == 0)
		r = saving_ask(s, set, fd, e);
	if (r == 0)
		r = saving_ask(s, node, -1, e);
	return r < 0 ? r : saving_ask(s, over, -1, e);
}

/* Whoever asks made the layer for a machine that has ended meanwhile: this one was started on it. */
static bool is_its_own(const struct vm_saving *s, int fd)
{
	int disk = boot_fd(s->boot, "disk");
	struct stat own, other;

	return disk >= 0 && fstat(disk, &own) == 0 && fstat(fd, &other) == 0 && own.st_dev == other.st_dev &&
	       own.st_ino == other.st_ino;
}

int saving_switch(struct vm_saving *s, const char *layer, struct err *e)
{
	autofree char *path =
		saving_is_id(layer, LAYER_ID_LEN) ? str_printf("../../writable/%s/disk.qcow2", layer) : NULL;
	autoclose int fd =
		!path ? -1 : openat(boot_fd(s->boot, "dir"), path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);

	if (!path)
		return err_set(e, EINVAL, "this is no id of a layer");
	if (fd < 0)
		return err_sys(e, errno, "writable layer %.12s", layer);
	if (is_its_own(s, fd))
		return err_set(e, EAGAIN, "it was started anew meanwhile: try again");
	return s->control->qmp ? switch_qemu(s, fd, e) : saving_ask(s, "disk " GUEST_DISK "\n", fd, e);
}

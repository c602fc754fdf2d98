/* root.c - the root of the workload: image and writable layer overlaid, and the host's shares */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "guest/guest_int.h"

#define IMAGE_PLACE_BYTES 64

/* "/dev/NAME" of the virtio disk with this serial. */
static int find_disk(const char *serial, char ret_path[64], struct err *e)
{
	DIR *d = opendir("/sys/block");
	struct dirent *de;
	bool found = false;

	while (d && !found && (de = readdir(d))) {
		AUTO(buf_done) struct buf b = { 0 };
		autofree char *path = str_printf("%s/serial", de->d_name);

		if (!path || de->d_name[0] == '.' || read_file(dirfd(d), path, 4096, &b) < 0 || !b.data)
			continue;
		b.data[strcspn(b.data, "\n")] = '\0';
		found = !strcmp(b.data, serial);
		snprintf(ret_path, 64, "/dev/%.48s", de->d_name);
	}
	if (d)
		closedir(d);
	return found ? 0 : err_set(e, ENODEV, "there is no disk \"%s\"", serial);
}

static int make_dir(const char *path, struct err *e)
{
	return mkdir(path, 0755) < 0 && errno != EEXIST ? err_sys(e, errno, "%s", path) : 0;
}

static int mount_onto(const char *source, const char *target, const char *type, unsigned long flags,
		      const char *options, struct err *e)
{
	int r = make_dir(target, e);

	if (r < 0)
		return r;
	return mount(source, target, type, flags, options) < 0
		       ? err_sys(e, errno, "mount %s (%s)", target, type)
		       : 0;
}

static int mount_disk(const char *serial, const char *target, const char *type, unsigned long flags,
		      const char *options, struct err *e)
{
	char path[64];
	int r = find_disk(serial, path, e);

	return r < 0 ? r : mount_onto(path, target, type, flags, options, e);
}

/* The place of the i-th of the disks that are the image, lowest first; its serial is the last part of it. */
static void image_place(const struct instance_spec *s, size_t i, char ret[IMAGE_PLACE_BYTES])
{
	char serial[GUEST_TAG_MAX] = GUEST_ROOT;

	if (s->vm.layer_disks)
		guest_layer_serial(i, serial);
	snprintf(ret, IMAGE_PLACE_BYTES, DIR_IMAGE "/%s", serial);
}

static size_t image_count(const struct instance_spec *s)
{
	return s->vm.layer_disks ? (size_t)s->vm.layer_disks : 1;
}

/* *lower: the places, the uppermost first. */
static int mount_image(const struct instance_spec *s, struct buf *lower, struct err *e)
{
	int r = make_dir(DIR_IMAGE, e);

	for (size_t i = image_count(s); i-- > 0 && r == 0;) {
		char place[IMAGE_PLACE_BYTES];

		image_place(s, i, place);
		r = mount_disk(strrchr(place, '/') + 1, place, "erofs", MS_RDONLY, NULL, e);
		buf_addf(lower, "%s%s", lower->len ? ":" : "", place);
	}
	return r;
}

/* noinit_itable: the disk's file on the host stays sparse; discard: what is deleted is given back. */
static int mount_root(const struct instance_spec *s, struct err *e)
{
	AUTO(buf_done) struct buf options = { 0 }, lower = { 0 };
	int r = mount_image(s, &lower, e);

	if (r == 0)
		r = mount_disk(GUEST_DISK, DIR_DISK, "ext4", 0, "noinit_itable,discard", e);
	if (r == 0)
		r = make_dir(DIR_DISK "/upper", e);
	if (r == 0)
		r = make_dir(DIR_DISK "/work", e);
	/* the image is foreign data: an xattr in it must not send a lookup elsewhere */
	buf_addf(&options,
		 "lowerdir=%s,upperdir=" DIR_DISK "/upper,workdir=" DIR_DISK
		 "/work,redirect_dir=nofollow,metacopy=off,index=off,xino=on",
		 lower.data);
	if (r == 0 && (!buf_ok(&options) || !buf_ok(&lower)))
		r = err_set(e, ENOMEM, "out of memory");
	return r < 0 ? r : mount_onto("overlay", DIR_ROOT, "overlay", 0, options.data, e);
}

static int keep_open(struct boot *b, const char *name, const char *path, struct err *e)
{
	int fd = open(path, O_PATH | O_CLOEXEC);

	if (fd < 0)
		return err_sys(e, errno, "%s", path);
	if (boot_add_fd(b, name, fd) == 0)
		return 0;
	close(fd);
	return err_set(e, ENOMEM, "out of memory");
}

static int mount_share(const struct mount_spec *m, size_t i, struct boot *b, struct err *e)
{
	char tag[GUEST_TAG_MAX], dir[64], name[32], path[80];
	int r;

	guest_share_tag(i, tag);
	snprintf(dir, sizeof(dir), DIR_SHARE "/%s", tag);
	snprintf(name, sizeof(name), "mount/%zu", i);
	snprintf(path, sizeof(path), "%s%s", dir, m->is_file ? "/" GUEST_SHARED_FILE : "");
	r = mount_onto(tag, dir, "virtiofs", m->read_only ? MS_RDONLY : 0, NULL, e);
	return r < 0 ? r : keep_open(b, name, path, e);
}

static int keep_image(const struct instance_spec *s, struct boot *b, struct err *e)
{
	int r = 0;

	for (size_t i = 0; i < image_count(s) && r == 0; i++) {
		char place[IMAGE_PLACE_BYTES], name[32];

		image_place(s, i, place);
		snprintf(name, sizeof(name), "layer/%zu", i);
		r = keep_open(b, name, place, e);
	}
	return r;
}

int root_make(const struct instance_spec *s, struct boot *b, struct err *e)
{
	int r = mount_root(s, e);

	if (r == 0)
		r = keep_open(b, "rootfs", DIR_ROOT, e);
	if (r == 0)
		r = keep_image(s, b, e);
	if (r == 0)
		r = keep_open(b, "upper", DIR_DISK "/upper", e);
	if (r == 0)
		r = make_dir(DIR_SHARE, e);
	for (size_t i = 0; i < s->n_mounts && r == 0; i++)
		if (s->mounts[i].type != MOUNT_TMPFS)
			r = mount_share(&s->mounts[i], i, b, e);
	return r;
}

static void unmount_in(const char *dir)
{
	DIR *d = opendir(dir);
	struct dirent *de;

	while (d && (de = readdir(d))) {
		autofree char *path = str_printf("%s/%s", dir, de->d_name);

		if (path && de->d_name[0] != '.')
			umount2(path, MNT_DETACH);
	}
	if (d)
		closedir(d);
}

void root_unmake(void)
{
	unmount_in(DIR_SHARE);
	umount2(DIR_ROOT, MNT_DETACH);
	unmount_in(DIR_IMAGE);
	/* somebody may still hold it: at least what was written is on the disk then */
	sync();
	umount2(DIR_DISK, 0);
}

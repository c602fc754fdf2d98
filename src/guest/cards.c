/* cards.c - network cards of this machine, by the files of their bus in /sys */
#include "guest/cards.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "guest/guest_int.h"

#define BUS    "/sys/bus/virtio/"
#define DRIVER BUS "drivers/virtio_net/"
#define ID_NET 1 /* virtio 1.2, section 5 */
#define MOST   64 /* devices of a machine */

struct card {
	char device[16]; /* "virtio5" */
	char name[IF_NAMESIZE]; /* of its interface; "": it has no driver */
	char mac[18];
};

static int put(const char *path, const char *text)
{
	autoclose int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n = (ssize_t)strlen(text);

	return fd < 0 || write(fd, text, (size_t)n) != n ? -errno : 0;
}

/* The file's first line; "": there is none. */
static void get(const char *path, char *ret, size_t size)
{
	AUTO(buf_done) struct buf b = { 0 };

	*ret = '\0';
	if (read_file(AT_FDCWD, path, 4096, &b) < 0 || !b.data)
		return;
	b.data[strcspn(b.data, "\n")] = '\0';
	strncat(ret, b.data, size - 1);
}

/* --- one card */

/* Its interface and its address, where it has a driver. */
static void look(struct card *c)
{
	char path[96];
	struct dirent *de;
	DIR *d;

	*c->name = *c->mac = '\0';
	snprintf(path, sizeof(path), BUS "devices/%s/net", c->device);
	d = opendir(path);
	while (d && (de = readdir(d)))
		if (de->d_name[0] != '.' && strlen(de->d_name) < sizeof(c->name))
			strcpy(c->name, de->d_name);
	if (d)
		closedir(d);
	if (!*c->name)
		return;
	snprintf(path, sizeof(path), BUS "devices/%s/net/%s/address", c->device, c->name);
	get(path, c->mac, sizeof(c->mac));
}

static bool is_net(const char *device)
{
	char path[96], id[16];

	snprintf(path, sizeof(path), BUS "devices/%s/device", device);
	get(path, id, sizeof(id));
	return strtoul(id, NULL, 16) == ID_NET;
}

static int by_number(const void *a, const void *b)
{
	const struct card *x = a, *y = b;

	return (int)strtoul(x->device + strlen("virtio"), NULL, 10) -
	       (int)strtoul(y->device + strlen("virtio"), NULL, 10);
}

/* All of them, in the order of the bus; how many. */
static size_t list(struct card ret[MOST])
{
	DIR *d = opendir(BUS "devices");
	struct dirent *de;
	size_t n = 0;

	while (d && n < MOST && (de = readdir(d))) {
		if (strncmp(de->d_name, "virtio", 6) || strlen(de->d_name) >= sizeof(ret->device) ||
		    !is_net(de->d_name))
			continue;
		strcpy(ret[n].device, de->d_name);
		look(&ret[n++]);
	}
	if (d)
		closedir(d);
	qsort(ret, n, sizeof(*ret), by_number);
	return n;
}

static int drop(const struct card *c)
{
	return put(DRIVER "unbind", c->device);
}

/* In a machine that was restored under QEMU a card has its new address when it was reset, which its driver does when it
 * leaves. */
static void look_anew(struct card *c)
{
	if (drop(c) == 0 && put(DRIVER "bind", c->device) == 0)
		look(c);
}

/* --- by address */

int cards_load_driver(int initramfs, struct err *e)
{
	int off = put(BUS "drivers_autoprobe", "0"), r = system_load_modules(initramfs, "modules.net", e);

	if (r == 0 && (off < 0 || put(BUS "drivers_autoprobe", "1") < 0))
		return err_set(e, EIO, "the bus of the network cards cannot be held back");
	return r;
}

int card_use(const char *mac, char ret[IF_NAMESIZE], struct err *e)
{
	struct card cards[MOST];
	size_t n = list(cards);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(cards[i].mac, mac)) {
			memcpy(ret, cards[i].name, IF_NAMESIZE);
			return 0;
		}
	for (size_t i = 0; i < n; i++) {
		if (*cards[i].name || put(DRIVER "bind", cards[i].device) < 0)
			continue;
		look(&cards[i]);
		if (strcmp(cards[i].mac, mac) != 0)
			look_anew(&cards[i]);
		if (!strcmp(cards[i].mac, mac)) {
			memcpy(ret, cards[i].name, IF_NAMESIZE);
			return 0;
		}
	}
	return err_set(e, ENODEV, "this machine has no network card %.32s", mac);
}

int cards_keep(const char *const *macs, size_t n, struct err *e)
{
	struct card cards[MOST];
	size_t n_cards = list(cards);
	int r;

	for (size_t i = 0; i < n_cards; i++) {
		bool kept = !*cards[i].name;

		for (size_t k = 0; k < n && !kept; k++)
			kept = macs[k] && !strcmp(macs[k], cards[i].mac);
		r = kept ? 0 : drop(&cards[i]);
		if (r < 0)
			return err_sys(e, -r, "network card %s", cards[i].mac);
	}
	return 0;
}

int card_drop(const char *mac, struct err *e)
{
	struct card cards[MOST];
	size_t n = list(cards);

	for (size_t i = 0; i < n; i++)
		if (!strcmp(cards[i].mac, mac)) {
			int r = drop(&cards[i]);

			return r < 0 ? err_sys(e, -r, "network card %s", mac) : 0;
		}
	return err_set(e, ENODEV, "this machine uses no network card %.32s", mac);
}

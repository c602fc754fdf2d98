/* identity.c - a machine that was restored is another than it was */
#include "guest/identity.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/random.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "base/parse.h"
#include "base/path.h"
#include "guest/network.h"
#include "sys/ns.h"

#define SEED_MAX   64
#define ETC_MAX	   (1 << 20)
#define MACHINE_ID "/etc/machine-id"
#define ID_BYTES   16

int identity_seed(const void *bytes, size_t n, struct err *e)
{
	struct {
		struct rand_pool_info head;
		unsigned char bytes[SEED_MAX];
	} seed = { .head = { .entropy_count = (int)n * 8, .buf_size = (int)n } };
	autoclose int fd = open("/dev/urandom", O_WRONLY | O_CLOEXEC);
	int r;

	if (n > SEED_MAX)
		return err_set(e, EINVAL, "a seed of %zu bytes", n);
	memcpy(seed.bytes, bytes, n);
	r = fd < 0 || ioctl(fd, RNDADDENTROPY, &seed) < 0 || ioctl(fd, RNDRESEEDCRNG, NULL) < 0 ? -errno : 0;
	explicit_bzero(&seed, sizeof(seed));
	return r < 0 ? err_sys(e, -r, "random seed") : 0;
}

/* --- names */

/* A file of /proc/PID. */
static int open_of(int pid, const char *name, int flags)
{
	char path[64];
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/%s", pid, name);
	fd = open(path, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int set_hostname(int pid, const char *name)
{
	autoclose int own = open("/proc/self/ns/uts", O_RDONLY | O_CLOEXEC);
	autoclose int theirs = open_of(pid, "ns/uts", O_RDONLY);
	int r, back;

	if (own < 0 || theirs < 0)
		return own < 0 ? -errno : theirs;
	r = ns_join(theirs, CLONE_NEWUTS);
	if (r < 0)
		return r;
	r = sethostname(name, strlen(name)) < 0 ? -errno : 0;
	back = ns_join(own, CLONE_NEWUTS);
	return r < 0 ? r : back;
}

/* Anew, where the file is there; what the workload has made read-only stays. */
static void rewrite(int root, const char *path, const char *text, size_t n)
{
	autoclose int fd = open_in_root_nolinks(root, path, O_WRONLY | O_TRUNC | O_CLOEXEC | O_NONBLOCK, 0);

	if (fd >= 0)
		write_full(fd, text, n);
}

static int read_old(int root, const char *path, struct buf *ret)
{
	autoclose int fd = open_in_root_nolinks(root, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK, 0);

	return fd < 0 ? fd : read_to_end(fd, ETC_MAX, ret);
}

static bool ends_word(char c)
{
	return !c || strchr(" \t\n.", c);
}

/* Every word that is the old name becomes the new one. */
static void rename_in(int root, const char *path, const char *old, const char *now)
{
	AUTO(buf_done) struct buf text = { 0 }, changed = { 0 };
	const char *at;

	if (read_old(root, path, &text) < 0 || !text.data)
		return;
	for (at = text.data; *at;) {
		bool begins = at == text.data || ends_word(at[-1]);

		if (begins && !strncmp(at, old, strlen(old)) && ends_word(at[strlen(old)])) {
			buf_adds(&changed, now);
			at += strlen(old);
		} else {
			buf_addc(&changed, *at++);
		}
	}
	if (buf_ok(&changed))
		rewrite(root, path, changed.data, changed.len);
}

static void renew_address(int root, const char *old, const char *now)
{
	char from[64], to[64];

	if (!old || !now)
		return;
	snprintf(from, sizeof(from), "%.*s", (int)strcspn(old, "/"), old);
	snprintf(to, sizeof(to), "%.*s", (int)strcspn(now, "/"), now);
	if (strcmp(from, to) != 0)
		rename_in(root, "/etc/hosts", from, to);
}

/* Where its own name leads to in /etc/hosts. */
static void renew_addresses(int root, const struct net_spec *old, const struct net_spec *now)
{
	for (size_t i = 0; i < old->n_attachments && i < now->n_attachments; i++) {
		const struct net_port *was = &old->attachments[i].given, *is = &now->attachments[i].given;

		renew_address(root, was->address, is->address);
		renew_address(root, was->address6, is->address6);
	}
}

/* Of an instance that has one: an init system's, mostly. */
static void renew_machine_id(int root)
{
	AUTO(buf_done) struct buf old = { 0 };
	unsigned char id[ID_BYTES];
	char text[2 * ID_BYTES + 2];

	if (read_old(root, MACHINE_ID, &old) < 0 || old.len < sizeof(id) ||
	    getrandom(id, sizeof(id), 0) != sizeof(id))
		return;
	hex_encode(id, sizeof(id), text);
	strcat(text, "\n");
	rewrite(root, MACHINE_ID, text, strlen(text));
}

static const char *name_of(const struct instance_spec *s)
{
	return s->hostname ? s->hostname : "ketch";
}

int identity_change(int pid, const struct instance_spec *old, const struct instance_spec *now, struct err *e)
{
	autoclose int root = open_of(pid, "root", O_PATH | O_DIRECTORY);
	bool another = strcmp(old->id, now->id) != 0;
	int r = root < 0 ? root : set_hostname(pid, name_of(now));

	if (r < 0)
		return err_sys(e, -r, "the instance in the restored machine");
	if (another) {
		rename_in(root, "/etc/hostname", name_of(old), name_of(now));
		rename_in(root, "/etc/hosts", name_of(old), name_of(now));
		renew_machine_id(root);
	}
	renew_addresses(root, &old->net, &now->net);
	return network_renew(old, now, e);
}

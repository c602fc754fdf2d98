/* config.c - the command line of ketch-vmm */
#include "vmm/config.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/auto.h"
#include "base/parse.h"
#include "vmm/layout.h"

#define V struct vmm_config

const struct opt vmm_options[] = {
	OPT(INT, 0, "kvm", V, kvm_fd, "FD", "/dev/kvm"),
	OPT(BYTES, 'm', "memory", V, memory_bytes, "SIZE", "The guest's RAM, a multiple of 2 MiB"),
	OPT(FLAG, 0, "hugepages", V, hugepages, NULL, "Take the RAM from the host's pool of huge pages"),
	OPT(INT, 0, "vcpus", V, vcpus, "N", "Virtual processors, 1 to 32"),
	OPT(INT, 0, "kernel", V, kernel_fd, "FD", "An ELF kernel with a PVH entry, or a bzImage"),
	OPT(INT, 0, "initramfs", V, initramfs_fd, "FD", "Its initramfs"),
	OPT(INT, 0, "state", V, state_fd, "FD", "A saved state: the machine is restored from it, not booted"),
	OPT(LIST, 0, "ram", V, rams, "FD", "The saved RAM, then differences to it"),
	OPT(STR, 0, "cmdline", V, cmdline, "WORDS", "Its command line"),
	OPT(INT, 0, "serial", V, serial_fd, "FD", "Where the serial port's output goes"),
	OPT(INT, 0, "console", V, console_fd, "FD", "A virtio console (hvc0) on this socket"),
	OPT(INT, 0, "control", V, control_fd, "FD", "The control socket"),
	OPT(LIST, 0, "block", V, blocks, "fd=FD[,serial=S][,ro][,bps=N][,iops=N]", "A disk"),
	OPT(LIST, 0, "below", V, below, "fd=FD,serial=S",
	    "An image that the disk S stands on, which is qcow2 then; the lowest first"),
	OPT(LIST, 0, "net", V, nets, "fd=FD,mac=MAC[,bps=N][,iops=N]", "A network interface on a tap"),
	OPT(LIST, 0, "share", V, shares, "fd=FD,tag=TAG", "A directory, served by vhost-user"),
	OPT(LIST, 0, "vsock", V, vsocks, "fd=FD,port=N", "The guest's first connection to this port"),
	OPT(INT, 0, "uid", V, uid, "ID", "The user and group to run as, in the jail"),
	OPT(FLAG, 0, "unjailed", V, unjailed, NULL, "Keep all rights (for measurements)"),
	OPT(FLAG, 0, "unsealed", V, unsealed, NULL, "Load no seccomp filters (for measurements)"),
	{ 0 },
};

void vmm_config_done(struct vmm_config *c)
{
	opts_done(vmm_options, c);
}

static int check(const struct vmm_config *c, struct err *e)
{
	const struct {
		const char *option;
		int64_t v, most;
		bool must;
	} numbers[] = {
		{ "kvm", c->kvm_fd, INT32_MAX, true },
		{ "kernel", c->kernel_fd, INT32_MAX, c->state_fd == -1 },
		{ "state", c->state_fd, INT32_MAX, false },
		{ "initramfs", c->initramfs_fd, INT32_MAX, false },
		{ "serial", c->serial_fd, INT32_MAX, false },
		{ "console", c->console_fd, INT32_MAX, false },
		{ "control", c->control_fd, INT32_MAX, false },
		{ "uid", c->uid, UINT32_MAX - 1, !c->unjailed },
	};

	for (size_t i = 0; i < ARRAY_LEN(numbers); i++) {
		if (numbers[i].v == -1 && numbers[i].must)
			return err_set(e, EINVAL, "--%s is missing", numbers[i].option);
		if (numbers[i].v < -1 || numbers[i].v > numbers[i].most)
			return err_set(e, EINVAL, "--%s: %lld is out of range", numbers[i].option,
				       (long long)numbers[i].v);
	}
	if (!c->unjailed && c->uid == 0)
		return err_set(e, EINVAL, "--uid 0: root would stay root in the jail");
	if (c->blocks.n + c->nets.n + c->shares.n > CONFIG_MAX_DEVICES)
		return err_set(e, E2BIG, "more than %d disks, interfaces and directories",
			       CONFIG_MAX_DEVICES);
	if (c->rams.n > CONFIG_MAX_RAMS || (c->rams.n != 0) != (c->state_fd != -1))
		return err_set(e, EINVAL, "--state comes with 1 to %d --ram", CONFIG_MAX_RAMS);
	if (c->rams.n && (c->shares.n || c->hugepages))
		return err_set(e, EINVAL, "--state goes with neither --share nor --hugepages");
	if (c->below.n > CONFIG_MAX_BELOW)
		return err_set(e, E2BIG, "more than %d images that disks stand on", CONFIG_MAX_BELOW);
	if (c->vsocks.n > CONFIG_MAX_VSOCKS)
		return err_set(e, E2BIG, "more than %d vsock ports", CONFIG_MAX_VSOCKS);
	if (c->vcpus < 1 || c->vcpus > MAX_VCPUS)
		return err_set(e, EINVAL, "--vcpus %lld: a machine has 1 to %d", (long long)c->vcpus,
			       MAX_VCPUS);
	return 0;
}

int vmm_config_parse(char *const *argv, struct vmm_config *ret, struct err *e)
{
	AUTO(strv_done) struct strv words = { 0 };
	int r;

	*ret = (struct vmm_config){ .vcpus = 1,
				    .kvm_fd = -1,
				    .kernel_fd = -1,
				    .initramfs_fd = -1,
				    .control_fd = -1,
				    .serial_fd = -1,
				    .console_fd = -1,
				    .state_fd = -1,
				    .uid = -1 };
	r = opts_parse(vmm_options, OPTS_ANYWHERE, argv, ret, &words, e);
	if (r != 0)
		return r;
	return words.n ? err_set(e, EINVAL, "unexpected word: %.100s", words.v[0]) : check(ret, e);
}

/* --- a device's words */

static int set_fd(struct device_config *d, const char *v)
{
	uint32_t n;
	int r = parse_u32(v, &n);

	d->fd = r == 0 && n <= INT32_MAX ? (int)n : -1;
	return d->fd < 0 ? -EINVAL : 0;
}

static int set_name(struct device_config *d, const char *v)
{
	free(d->name);
	d->name = strdup(v);
	return d->name ? 0 : -ENOMEM;
}

static int set_port(struct device_config *d, const char *v)
{
	return parse_u32(v, &d->port);
}

static int set_mac(struct device_config *d, const char *v)
{
	if (strlen(v) != 3 * sizeof(d->mac) - 1)
		return -EINVAL;
	for (unsigned i = 0; i < sizeof(d->mac); i++) {
		const char two[3] = { v[3 * i], v[3 * i + 1], 0 };

		if (hex_decode(two, 1, &d->mac[i]) < 0 || v[3 * i + 2] != (i < 5 ? ':' : '\0'))
			return -EINVAL;
	}
	return d->mac[0] & 1 ? -EINVAL : 0; /* a group's address */
}

static int set_bytes(struct device_config *d, const char *v)
{
	return parse_bytes(v, &d->bytes_per_s);
}

static int set_ops(struct device_config *d, const char *v)
{
	return parse_u64(v, &d->ops_per_s);
}

static const struct {
	const char *key;
	int (*set)(struct device_config *d, const char *v);
} keys[] = {
	{ "fd", set_fd },   { "serial", set_name }, { "tag", set_name }, { "port", set_port },
	{ "mac", set_mac }, { "bps", set_bytes },   { "iops", set_ops },
};

static int set_word(struct device_config *d, char *word)
{
	char *v = strchr(word, '=');

	if (!v && !strcmp(word, "ro")) {
		d->read_only = true;
		return 0;
	}
	if (!v)
		return -EINVAL;
	*v++ = '\0';
	for (size_t i = 0; i < ARRAY_LEN(keys); i++)
		if (!strcmp(word, keys[i].key))
			return keys[i].set(d, v);
	return -EINVAL;
}

int vmm_device_parse(const char *text, struct device_config *ret, struct err *e)
{
	AUTO(strv_done) struct strv words = { 0 };

	*ret = (struct device_config){ .fd = -1 };
	if (strv_split(&words, text, ",") < 0)
		return err_set(e, ENOMEM, "out of memory");
	for (size_t i = 0; i < words.n; i++) {
		char shown[64] = "";

		strncat(shown, words.v[i], sizeof(shown) - 1);
		if (set_word(ret, words.v[i]) < 0) {
			vmm_device_done(ret);
			return err_set(e, EINVAL, "%.100s: bad word \"%s\"", text, shown);
		}
	}
	if (ret->fd >= 0)
		return 0;
	vmm_device_done(ret);
	return err_set(e, EINVAL, "%.100s: no fd=", text);
}

void vmm_device_done(struct device_config *d)
{
	free(d->name);
	d->name = NULL;
}

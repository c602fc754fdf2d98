/* forwarding.c - forwarding switched on, and who was there before; bridges that route 127.0.0.0/8 and filter frames */
#include "network/forwarding.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/auto.h"
#include "base/io.h"
#include "network/firewall_int.h"
#include "sys/netlink.h"
#include "sys/rtnetlink.h"
#include "sys/run.h"

#define LIST_MAX	    (1 << 20)
#define MODPROBE_TIMEOUT_MS 10000
#define BRIDGE_SETTINGS	    "/proc/sys/net/bridge"

struct family {
	const char *file, *setting;
	unsigned guard;
};
static const struct family families[] = {
	{ "forwarding-ipv4", "/proc/sys/net/ipv4/ip_forward", FW_GUARD4 },
	{ "forwarding-ipv6", "/proc/sys/net/ipv6/conf/all/forwarding", FW_GUARD6 },
};

static int read_setting(const char *path)
{
	AUTO(buf_done) struct buf b = { 0 };
	int r = read_file(AT_FDCWD, path, 64, &b);

	return r < 0 ? r : !!strtol(b.data ? b.data : "0", NULL, 10);
}

static int write_setting(const char *path, const char *value, struct err *e)
{
	int r = write_existing(AT_FDCWD, path, value);

	return r < 0 ? err_sys(e, -r, "%s", path) : 0;
}

static int list_links(struct strv *ret, struct err *e)
{
	autoclose int rt = nl_open(NETLINK_ROUTE);
	struct rt_link_info *links = NULL;
	size_t n = 0;
	int r = rt < 0 ? rt : rt_links(rt, &links, &n);

	for (size_t i = 0; i < n && r == 0; i++)
		r = strcmp(links[i].name, "lo") != 0 ? strv_add(ret, links[i].name) : 0;
	free(links);
	return r < 0 ? err_sys(e, -r, "interfaces of this host") : 0;
}

/* A host that forwards takes no router advertisements unless it is told to (ip-sysctl, accept_ra): those that it takes
 * now it goes on to take. */
static void keep_advertisements(const struct strv *links)
{
	for (size_t i = 0; i < links->n; i++) {
		autofree char *path = str_printf("/proc/sys/net/ipv6/conf/%s/accept_ra", links->v[i]);

		if (path && read_setting(path) == 1)
			write_existing(AT_FDCWD, path, "2");
	}
}

static int write_list(int dir_fd, const char *file, const struct strv *links, struct err *e)
{
	AUTO(buf_done) struct buf text = { 0 };
	int r;

	for (size_t i = 0; i < links->n; i++)
		buf_addf(&text, "%s\n", links->v[i]);
	r = buf_ok(&text) ? write_file_swap(dir_fd, file, 0600, text.data ? text.data : "", text.len)
			  : -ENOMEM;
	return r < 0 ? err_sys(e, -r, "%s", file) : 0;
}

/* The list is there before the switch: whoever is killed in between leaves a guard too many, not one too few. */
static int switch_on(int dir_fd, const struct family *f, struct err *e)
{
	AUTO(strv_done) struct strv links = { 0 };
	int r = read_setting(f->setting);

	if (r == -ENOENT)
		return 0; /* a kernel without IPv6 */
	if (r)
		return r < 0 ? err_sys(e, -r, "%s", f->setting) : 0;
	r = list_links(&links, e);
	if (r == 0)
		r = write_list(dir_fd, f->file, &links, e);
	if (r < 0)
		return r;
	if (f != families)
		keep_advertisements(&links);
	return write_setting(f->setting, "1", e);
}

int forwarding_read(int dir_fd, struct fw_model *m, struct err *e)
{
	for (size_t i = 0; i < ARRAY_LEN(families); i++) {
		AUTO(buf_done) struct buf text = { 0 };
		AUTO(strv_done) struct strv names = { 0 };
		int r = read_file(dir_fd, families[i].file, LIST_MAX, &text);

		if (r == -ENOENT)
			continue;
		if (r == 0)
			r = strv_split(&names, text.data ? text.data : "", "\n");
		for (size_t k = 0; k < names.n && r == 0; k++)
			if (*names.v[k] && !strv_has(&m->apart, names.v[k]))
				r = strv_add(&m->apart, names.v[k]);
		if (r < 0)
			return err_sys(e, -r, "%s", families[i].file);
		m->guard |= families[i].guard;
	}
	return 0;
}

int forwarding_ensure(int dir_fd, bool ipv6, struct fw_model *m, struct err *e)
{
	int r = switch_on(dir_fd, &families[0], e);

	if (r == 0 && ipv6)
		r = switch_on(dir_fd, &families[1], e);
	return r < 0 ? r : forwarding_read(dir_fd, m, e);
}

int forwarding_restore(int dir_fd, struct err *e)
{
	AUTO(strv_done) struct strv now = { 0 };
	struct fw_model before = { 0 };
	bool strange = false;
	int r = forwarding_read(dir_fd, &before, e);

	if (r == 0 && before.guard)
		r = list_links(&now, e);
	for (size_t i = 0; i < now.n; i++)
		strange |= !strv_has(&before.apart, now.v[i]);
	for (size_t i = 0; i < ARRAY_LEN(families) && r == 0 && !strange; i++) {
		if (!(before.guard & families[i].guard))
			continue;
		r = write_setting(families[i].setting, "0", e);
		if (r == 0)
			unlinkat(dir_fd, families[i].file, 0);
	}
	strv_done(&before.apart);
	return r < 0 ? r : !strange;
}

/* --- bridges */

/* Loading the module turns filtering on for every bridge of the machine, which others have not asked for. */
static int load_bridge_filter(struct err *e)
{
	static const char *const all[] = { "bridge-nf-call-iptables", "bridge-nf-call-ip6tables",
					   "bridge-nf-call-arptables" };
	const char *argv[] = { "modprobe", "br_netfilter", NULL };
	int status = 0;

	if (faccessat(AT_FDCWD, BRIDGE_SETTINGS, F_OK, 0) == 0)
		return 0;
	if (run_program(argv, -1, MODPROBE_TIMEOUT_MS, NULL, &status) < 0 || status ||
	    faccessat(AT_FDCWD, BRIDGE_SETTINGS, F_OK, 0) < 0)
		return err_set(e, ENOTSUP,
			       "--allow and --deny between instances of one network need the kernel module "
			       "br_netfilter, which cannot be loaded");
	for (size_t i = 0; i < ARRAY_LEN(all); i++) {
		autofree char *path = str_printf(BRIDGE_SETTINGS "/%s", all[i]);

		if (path)
			write_existing(AT_FDCWD, path, "0");
	}
	return 0;
}

static int filter_frames(int rt, const struct fw_network *n, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info link;
	int r = load_bridge_filter(e);

	if (r < 0)
		return r;
	r = rt_link_find(rt, n->bridge, &link);
	if (r < 0)
		return err_sys(e, -r, "bridge %s", n->bridge);
	rt_bridge_nf_call(&b, link.index, true);
	r = nl_run(rt, &b, NULL);
	return r < 0 ? err_sys(e, -r, "bridge %s: frames through the rule set", n->bridge) : 0;
}

int forwarding_bridge(int rt, const struct fw_network *n, struct err *e)
{
	autofree char *path = str_printf("/proc/sys/net/ipv4/conf/%s/route_localnet", n->bridge);
	int r = path ? read_setting(path) : -ENOMEM;

	if (r < 0)
		return err_sys(e, -r, "bridge %s", n->bridge);
	if (r == 0)
		r = write_setting(path, "1", e);
	return r >= 0 && n->bridge_filter ? filter_frames(rt, n, e) : r < 0 ? r : 0;
}

int forwarding_port(int rt, const char *link, struct err *e)
{
	AUTO(nl_batch_done) struct nl_batch b = { 0 };
	struct rt_link_info info;
	int r = rt_link_find(rt, link, &info);

	if (r == 0) {
		rt_port_hairpin(&b, info.index, true);
		r = nl_run(rt, &b, NULL);
	}
	return r < 0 ? err_sys(e, -r, "port %s", link) : 0;
}

int forwarding_host(struct firewall *fw, int dir_fd, int rt, struct fw_model *m, size_t *ret_mended,
		    struct err *e)
{
	bool ipv6 = false;
	int r;

	for (size_t i = 0; i < m->n_networks; i++)
		ipv6 |= m->networks[i].subnet6 && !m->networks[i].internal;
	r = forwarding_ensure(dir_fd, ipv6, m, e);
	for (size_t i = 0; i < m->n_networks && r == 0; i++)
		r = forwarding_bridge(rt, &m->networks[i], e);
	if (r == 0)
		r = firewall_ensure(fw, m, ret_mended, e);
	if (r == 0)
		firewalld_ensure(m->networks, m->n_networks);
	return r < 0 ? r : docker_user_ensure(m->networks, m->n_networks, e);
}

void forwarding_forget(const struct fw_network *n)
{
	docker_user_remove(n, NULL);
	firewalld_forget(n);
}

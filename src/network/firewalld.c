/* firewalld.c - our bridges in a zone of firewalld's whose interfaces it lets pass (firewalld.dbus(5))
 *
 * An accept of our table is no more than that: another table may reject afterwards, and firewalld's rejects what comes
 * through interfaces that are in none of its zones, also for the host's own name service.  So does everybody else who has
 * bridges (Docker, Podman, libvirt).  A reload forgets it, and changes rules; so the next command looks again.
 */
#include <errno.h>
#include <string.h>

#include "base/auto.h"
#include "base/log.h"
#include "network/firewall_int.h"
#include "network/forwarding.h"
#include "sys/dbus.h"

#define TABLE	"firewalld"
#define CHAIN	"filter_FORWARD"
#define NAME	"org.fedoraproject.FirewallD1"
#define TRUSTED "trusted"

/* Asked of the kernel, for a bus is not everywhere, and an answer from firewalld takes milliseconds. */
static bool is_there(void)
{
	autofree struct nft_rule *rules = NULL;
	autoclose int fd = nft_open();
	size_t n;

	return fd >= 0 && nft_rules(fd, NFPROTO_INET, TABLE, CHAIN, &rules, &n) == 0;
}

static int open_bus(struct dbus **ret)
{
	bool given;
	autofree char *path = dbus_bus_path(false, &given);

	return path ? dbus_open(path, true, ret) : -ENOMEM;
}

/* A method of its zones; what it answers is a string.  zone NULL: about no zone. */
static int ask(struct dbus *d, const char *member, const char *zone, const char *bridge, const char **ret)
{
	AUTO(buf_done) struct buf body = { 0 };
	struct dbus_message answer, call = { .destination = NAME,
					     .path = "/org/fedoraproject/FirewallD1",
					     .interface = NAME ".zone",
					     .member = member,
					     .signature = zone ? "ss" : "s" };
	struct dbus_reader got;
	int r;

	if (zone)
		dbus_put_string(&body, zone);
	dbus_put_string(&body, bridge);
	if (!buf_ok(&body))
		return -ENOMEM;
	call.body = body.data;
	call.body_len = body.len;
	r = dbus_call(d, &call, &answer);
	got = (struct dbus_reader){ answer.body, answer.body_len, 0 };
	return r < 0 ? r : dbus_read_string(&got, ret);
}

static int take_in(struct dbus *d, const char *bridge)
{
	const char *zone;
	int r = ask(d, "getZoneOfInterface", NULL, bridge, &zone);

	return r < 0 || *zone ? r : ask(d, "addInterface", TRUSTED, bridge, &zone);
}

void firewalld_ensure(const struct fw_network *networks, size_t n)
{
	AUTO(dbus_close) struct dbus *d = NULL;
	int r = n && is_there() ? open_bus(&d) : 0;

	for (size_t i = 0; d && i < n && r == 0; i++)
		r = take_in(d, networks[i].bridge);
	if (r < 0)
		log_warn("firewalld does not let networks pass, of which it was told on the system's bus: %s",
			 strerror(-r));
}

void firewalld_forget(const struct fw_network *n)
{
	AUTO(dbus_close) struct dbus *d = NULL;
	const char *zone;

	if (is_there() && open_bus(&d) == 0)
		ask(d, "removeInterface", TRUSTED, n->bridge, &zone);
}
